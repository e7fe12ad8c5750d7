"""What good data means: a catalogue of checks, run by Great Expectations on deliveries and published tables.

Belongs here: fitness of a feed and of tables. Does not belong here: contract and row rules (``ingestion``), structure
and logic of the warehouse (dbt tests), and what people read of the results (``workbench``).
"""

from expectations.catalogue import resolve_contradiction_checks, resolve_feed_checks, resolve_table_checks
from expectations.check import checks_frame
from expectations.reconciliation import unreconciled
from expectations.store import ensure_tables, lay_results
from expectations.tables import validate_tables
from expectations.validate import deliveries_to_hold, validate_deliveries, waived_failures

__all__ = [
    "checks_frame",
    "deliveries_to_hold",
    "ensure_tables",
    "lay_results",
    "resolve_contradiction_checks",
    "resolve_feed_checks",
    "resolve_table_checks",
    "unreconciled",
    "validate_deliveries",
    "validate_tables",
    "waived_failures",
]
