"""Before anything is published: counts that do not agree and mandatory checks of tables that fail stop it.

Belongs here: what stops a publication and what is said then. What is counted and checked is in ``expectations``.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from expectations import unreconciled, validate_tables
from expectations.check import RESULT_SCHEMA
from orchestration.home.settings import DataHome

# How many of the differences are named; the others are in quality.rule_reconciliation and the quality report.
NAMED = 5
# The results of the checks of a generation's tables, published with it.
TABLE_CHECKS = "table_check_result"
TABLE_RESULT = {
    "check_id": "check_id",
    "checked_table": "feed_or_table",
    "dimension": "dimension",
    "check_class": "class",
    "numerator": "numerator",
    "denominator": "denominator",
    "threshold": "threshold",
    "state": "state",
}
TABLE_RESULT_TYPES = {name: str(RESULT_SCHEMA[source]) for name, source in TABLE_RESULT.items()}


class PublicationStoppedError(RuntimeError):
    """Nothing was published: readers keep what was there. Says what does not agree and what to do."""


def inspect_generation(home: DataHome, folder: Path, now: datetime) -> None:
    """Raise ``PublicationStoppedError`` where the generation in ``folder`` must not be shown to anybody."""
    require_reconciled(home.reference)
    require_sound_tables(home, folder, now)


def require_reconciled(reference: Path) -> None:
    """Rule by rule Great Expectations counts what ingestion states, for every delivery in force."""
    counts, deliveries = reference / "rule_count.parquet", reference / "delivery.parquet"
    if not counts.is_file():
        return
    differing = unreconciled(pl.read_parquet(counts), pl.read_parquet(deliveries))
    if differing.height:
        named = ", ".join(
            f"{row['delivery_id']} {row['rule']}: counted {row['quarantine_count'] + row['accepted_count']}, "
            f"stated {row['ledger_count']}"
            for row in differing.head(NAMED).iter_rows(named=True)
        )
        raise PublicationStoppedError(
            f"{differing.height} counts of quarantined rows do not agree ({named}); nothing was published. "
            "`zhaoren quality reconciliation` names them; hold such a delivery (`zhaoren delivery hold`) and run again"
        )


def require_sound_tables(home: DataHome, folder: Path, now: datetime) -> None:
    """No mandatory check of the tables fails; what all of them found is published beside the tables."""
    tables = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
    results = validate_tables(tables, home.reference, home.checks, now)
    failed = results.filter(pl.col("state") == "failed", pl.col("class") == "mandatory")["check_id"].sort().to_list()
    if failed:
        raise PublicationStoppedError(
            f"mandatory checks of the tables failed: {', '.join(failed)}; nothing was published. "
            "The tables in the warehouse are as they were built; mend the cause and run again"
        )
    results.select(**TABLE_RESULT).sort("check_id").write_parquet(folder / f"{TABLE_CHECKS}.parquet")
