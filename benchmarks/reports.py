"""Both reports of a month in both languages and all four forms: seconds and sizes. A city of 28 townships should take
less than 20 seconds.

Run over a data home that has run: ``ZHAOREN_HOME=… .venv/bin/python -m benchmarks.reports [--month YYYY-MM]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from models.codes import load_divisions
from orchestration.home.settings import find_home
from orchestration.reporting.reports import REPORTS, newest_month, write_reports
from orchestration.warehouse.run_plan import parse_month


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--month")
    arguments = parser.parse_args()
    home = find_home()
    month = parse_month(arguments.month) if arguments.month else newest_month(home)
    townships = sum(place.level == "township" for place in load_divisions())
    total = 0.0
    for report in REPORTS:
        with tempfile.TemporaryDirectory() as folder:
            started, cpu = time.perf_counter(), time.process_time()
            written = write_reports(home, month, Path(folder), (report,))
            seconds = time.perf_counter() - started
        total += seconds
        sizes = ", ".join(f"{one.language} {one.form} {one.size / 1024:.0f} KiB" for one in written)
        print(f"{report}: {seconds:.1f} s ({time.process_time() - cpu:.1f} CPU s); {sizes}")
    print(f"{townships} townships, both reports in both languages: {total:.1f} s")


if __name__ == "__main__":
    main()
