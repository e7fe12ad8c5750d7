"""What ingestion should say about each file, written beside the inbox and never read by the warehouse.

Belongs here: the expected ledger. Does not belong here: the planted cases (``simulator.planted``).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.contract import load_feeds

VOLUME_ROWS = 20


@dataclass
class Expected:
    """One file of the inbox and what the interface specification leads to; counts by reason."""

    file: str
    feed: str
    period: str
    division: str | None
    mode: str
    format: str
    sidecar: bool
    sent_at: str | None
    received_at: str
    data_rows: int
    header_rows: int
    header_row: int
    framing: dict[str, int]
    expected_status: str = "accepted"
    reason: str | None = None
    missing_column: str | None = None
    expected_quarantined: dict[str, int] = field(default_factory=dict)
    cell_defects: dict[str, int] = field(default_factory=dict)
    harmless_variants: dict[str, int] = field(default_factory=dict)
    control_totals: dict[str, float] = field(default_factory=dict)
    expected_warnings: list[str] = field(default_factory=list)
    schema_drift: list[str] = field(default_factory=list)
    absent_optional: list[str] = field(default_factory=list)
    supersedes: str | None = None
    duplicate_of: str | None = None
    bytes: int = 0

    @property
    def quarantined(self) -> int:
        return sum(self.expected_quarantined.values())

    @property
    def accepted(self) -> int:
        return 0 if self.expected_status in ("rejected", "duplicate") else self.data_rows - self.quarantined


def write(records: list[Expected], path: Path) -> None:
    """One JSON object a line, in order of arrival; the shape is that of the sample city's expected deliveries."""
    ordered = sorted(records, key=lambda record: (record.received_at, record.file.rsplit("/", 1)[-1], record.feed))
    _note_volume(ordered)
    with path.open("w", encoding="utf-8") as out:
        for sequence, record in enumerate(ordered, start=1):
            content = asdict(record)
            content.update(seq=sequence, framing_rows=sum(record.framing.values()), expected_accepted=record.accepted)
            out.write(json.dumps(content, ensure_ascii=False) + "\n")


def _note_volume(ordered: list[Expected]) -> None:
    """The warning for a row count far from that of the last accepted delivery of the same feed and division."""
    last: dict[tuple[str, str | None], int] = {}
    for record in ordered:
        if record.expected_status not in ("accepted", "held"):
            continue
        key = (record.feed, record.division)
        before = last.get(key, 0)
        share = load_feeds()[record.feed].max_volume_change_share
        if before >= VOLUME_ROWS and abs(record.data_rows - before) > share * before:
            record.expected_warnings.append("volume_anomaly")
        if record.expected_status == "accepted":
            last[key] = record.data_rows


def summary(records: list[Expected]) -> Counter[str]:
    return Counter(record.expected_status for record in records)
