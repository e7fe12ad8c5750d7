"""The words for what is wrong with a file, a row or a cell, and the exception that rejects a file.

Belongs here: reason codes as they stand in ledger, quarantine and reports. Does not belong here: the rules
that lead to them.
"""

from __future__ import annotations

# A file is rejected.
FEED_UNKNOWN = "feed_unknown"
PERIOD_MISSING = "period_missing"
MANIFEST_MISMATCH = "manifest_mismatch"
UNREADABLE = "unreadable"
UNSAFE = "unsafe"
EMPTY = "empty"
COLUMN_MISSING = "column_missing"
COLUMN_AMBIGUOUS = "column_ambiguous"
SHEETS_AMBIGUOUS = "sheets_ambiguous"
# A file is skipped or held.
DUPLICATE = "duplicate"
TOO_MANY_BAD_ROWS = "too_many_bad_rows"

# A row is quarantined or a cell is nulled.
ROW_MALFORMED = "row_malformed"
REQUIRED_MISSING = "required_missing"
ID_INVALID = "id_invalid"
ID_PRECISION_LOST = "id_precision_lost"
DATE_INVALID = "date_invalid"
VALUE_INVALID = "value_invalid"
CODE_UNKNOWN = "code_unknown"
DIVISION_UNKNOWN = "division_unknown"
USCC_INVALID = "uscc_invalid"
OUT_OF_RANGE = "out_of_range"
DUPLICATE_KEY = "duplicate_key"
DUPLICATE_ROW = "duplicate_row"
# Of a file that mends quarantined rows: a row that stands for none of them.
ROW_UNKNOWN = "row_unknown"

# A delivery is accepted with a warning.
TYPE_MISMATCH = "type_mismatch"
TOTAL_MISMATCH = "total_mismatch"
ID_CONFLICT = "id_conflict"
VOLUME_ANOMALY = "volume_anomaly"
HIDDEN_SHEET = "hidden_sheet"
PART_MISSING = "part_missing"
# Characters that mean something only to who put them there, kept as they are; names the column.
PRIVATE_USE = "private_use"


class FileRejectedError(Exception):
    """The whole file cannot be taken in; ``detail`` never holds a value of a cell."""

    def __init__(self, reason: str, detail: str = "", *, rows_data: int = 0, rows_framing: int = 0) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.rows_data = rows_data
        self.rows_framing = rows_framing
