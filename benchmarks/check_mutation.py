"""Each check of rows switched off in the catalogue, one after another: which planted cases turn red?

Run with ``.venv/bin/python -m benchmarks.check_mutation [--feed NAME ...]``. For every check the feed's deliveries with
planted defects and near misses (those of ``tests/expectations``) are validated anew by Great Expectations without it.
Exactly its own case must turn red.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.expectations import planted as cases


def main() -> None:
    """Switch off every check of the given feeds (default: all) and print what was answered otherwise than expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feed", nargs="*", default=list(cases.FEEDS))
    wanted = parser.parse_args().feed
    started, made = time.process_time(), cases.planted()
    with tempfile.TemporaryDirectory() as folder:
        cases.write_lake(made, Path(folder))
        wrong, run = 0, 0
        for check_id, check in cases.row_checks().items():
            if check.subject not in wanted:
                continue
            red = red_without(made, Path(folder), check.subject, check_id)
            run += 1
            if red != {check_id}:
                wrong += 1
                print(f"{check_id}: red are {sorted(red)}")
    print(f"{run} checks switched off, {wrong} not answered by exactly their own case")
    print(f"{time.process_time() - started:.0f} CPU s")


def red_without(made: cases.Planted, lake: Path, feed: str, check_id: str) -> set[str]:
    """Checks whose defect or near miss is not answered as it should be while ``check_id`` is off."""
    found = cases.failing_by_case(made, lake, feed, without=check_id)
    return {
        case.about
        for case in made.cases
        if case.feed == feed and found[case.delivery_id] != ({case.fires} if case.fires else set())
    }


if __name__ == "__main__":
    main()
