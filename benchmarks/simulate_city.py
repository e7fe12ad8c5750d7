"""How long a synthetic city takes and how much memory: by default 100,000 households over 24 months.

Run with ``.venv/bin/python benchmarks/simulate_city.py [households] [months]``; writes into a temporary folder and
removes it. Prints one line a month and a summary.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from simulator import simulate

KIB_PER_GIB = 1024 * 1024


def main(households: int = 100_000, months: int = 24) -> None:
    started = time.perf_counter()

    def tell(done: int, total: int, month: str) -> None:
        print(f"{done:3d}/{total} {month} {time.perf_counter() - started:7.1f} s {_peak():5.2f} GiB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        summary = simulate(Path(folder), households, months, seed=1, progress=tell)
        size = sum(path.stat().st_size for path in summary.inbox.rglob("*") if path.is_file())
    elapsed, processor = time.perf_counter() - started, time.process_time()
    print(f"{households} households x {months} months: {summary.persons} persons, {summary.files} files,")
    print(
        f"{summary.rows} rows, {size / 1e9:.2f} GB in {elapsed:.0f} s ({processor:.0f} CPU s), peak {_peak():.2f} GiB"
    )


def _peak() -> float:
    """Peak resident memory of this process in GiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GIB


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
