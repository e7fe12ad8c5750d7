"""What SQL reads of the catalogue: contradictions as checks, the grade.

Belongs here: one function per published table. ``models.publish`` writes them; the resolved checks of feeds and
tables are published by ``expectations``.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from models.quality.contradictions import load_contradiction_checks
from models.quality.grade import grades


def quality_tables() -> dict[str, Callable[[], pl.DataFrame]]:
    """The published tables by name, each as the function that makes it."""
    return {
        "contradiction_check": contradiction_check_table,
        "quality_grade": grade_table,
    }


def contradiction_check_table() -> pl.DataFrame:
    """One row per kind of contradiction and feed: check_id, pair, what is compared, class, threshold, owner, words."""
    rows = [check.__dict__ | {"pair": check.pair} for check in load_contradiction_checks()]
    return pl.DataFrame(rows)


def grade_table() -> pl.DataFrame:
    """One row per grade, the best first; whether a failed mandatory check allows no better one, and whether it stands
    for data that did not come. Its least score is a parameter.
    """
    names, cap, not_arrived = grades()
    rows = [
        {
            "grade": name,
            "sort_order": at,
            "is_cap_mandatory": name == cap,
            "is_not_arrived": name == not_arrived,
        }
        for at, name in enumerate(names, start=1)
    ]
    return pl.DataFrame(rows)
