"""What becomes of quarantined rows: mended by hand and sent again, or cleared by a corrected delivery.

Belongs here: comparing rows, exporting and taking back, the state of each row. Does not belong here: setting rows
aside (``rows``), keeping them (``quarantine``).
"""

from ingestion.mending.export import export_rows
from ingestion.mending.resubmission import ResubmissionError, resubmit
from ingestion.mending.row_state import OPEN, RowState, row_states, with_state
from ingestion.mending.settlement import settle

__all__ = [
    "OPEN",
    "ResubmissionError",
    "RowState",
    "export_rows",
    "resubmit",
    "row_states",
    "settle",
    "with_state",
]
