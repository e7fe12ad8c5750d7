"""Puts the city's frames into the inbox: parts, names, sidecars, first reports, corrections, copies, late files.

Belongs here: files as departments leave them. Does not belong here: their formats (``style``, ``writing``).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from models.contract import Feed, load_feeds
from simulator.delivery import faults, schedule, style, truth, writing
from simulator.delivery.rendering import control_totals, to_text
from simulator.delivery.schedule import Slot
from simulator.delivery.style import Style
from simulator.months import first_date
from simulator.randomness import stream

SMALLEST = 10


@dataclass
class Outbox:
    """Writes deliveries below ``inbox`` and keeps what is expected of each."""

    inbox: Path
    seed: int
    defects: float
    plain: bool
    incidents: dict[Slot, str]
    expected: list[truth.Expected] = field(default_factory=list)

    def deliver(self, slot: Slot, frame: pl.DataFrame) -> None:
        """Write the file or files of a slot. An empty snapshot is not sent: nobody sends a register of nobody."""
        feed = load_feeds()[slot.feed]
        if frame.height == 0 and feed.mode == "snapshot":
            return
        rng = stream(self.seed, "delivery", slot.feed, slot.month, slot.division or "")
        # Too little to lose a row of or to send twice in good order.
        incident = self.incidents.get(slot) if frame.height >= SMALLEST else None
        look = self._style(rng, feed, frame)
        if incident in ("duplicate", "rejected", "held"):
            look = replace(look, statements=frozenset())
        if frame.height == 0:
            look = replace(look, statements=frozenset({"feed", "period", "rows"}), title=False, unit=False,
                           two_line_header=False, total=False, signature=False, extra=None)  # fmt: skip
        sent = schedule.sent_at(self.seed, slot, days_late=61 if incident == "late" else 0)
        if incident == "late":
            look = replace(look, statements=frozenset({"feed", "period"}))
        self._before(rng, incident, slot, feed, frame, look, sent)
        content = frame if incident != "correction" else _incomplete(rng, frame)
        first = self._send(rng, slot, feed, content, look, sent)
        self._after(rng, incident, slot, feed, frame, look, sent, first)

    def _style(self, rng: np.random.Generator, feed: Feed, frame: pl.DataFrame) -> Style:
        if self.plain:
            return style.plain(feed)
        empty = frozenset(
            column.name
            for column in feed.columns
            if not column.required and frame.height and frame[column.name].null_count() == frame.height
        )
        return style.draw(rng, feed, frame.height, empty)

    def _before(
        self, rng: np.random.Generator, incident: str | None, slot: Slot, feed: Feed, frame: pl.DataFrame, look: Style,
        sent: datetime,
    ) -> None:  # fmt: skip
        """A first report that is no good, the day before the good one."""
        earlier = sent - timedelta(days=1)
        if incident == "rejected" and frame.height:
            self._send_rejected(rng, slot, feed, frame, earlier)
        if incident == "held" and frame.height >= 20:
            self._send(rng, slot, feed, frame, look, earlier, suffix="_初报", spoiled=0.3)

    def _after(
        self, rng: np.random.Generator, incident: str | None, slot: Slot, feed: Feed, frame: pl.DataFrame, look: Style,
        sent: datetime, first: truth.Expected,
    ) -> None:  # fmt: skip
        if incident == "duplicate":
            self._send_again(first, sent + timedelta(hours=1))
        if incident == "correction" and frame.height > 1:
            stated = look.statements | {"feed", "period"}
            plain = replace(look, statements=stated, title=False, unit=False, two_line_header=False, total=False,
                            signature=False)  # fmt: skip
            later = sent.replace(day=15, hour=10, minute=0)
            corrected = self._send(rng, slot, feed, frame, plain, later, suffix="_更正")
            corrected.supersedes = first.file

    def _send(
        self, rng: np.random.Generator, slot: Slot, feed: Feed, frame: pl.DataFrame, look: Style, sent: datetime,
        suffix: str = "", spoiled: float = 0.0,
    ) -> truth.Expected:  # fmt: skip
        spared = frame["_spared"].to_numpy()
        text = to_text(frame, feed, look)
        if self.defects > 0:
            injected = faults.inject(rng, text, feed, look, spared, self.defects, spoiled)
        else:
            injected = faults.Injected(text)
        content = writing.render(injected.text, feed, look, self._title(slot, feed), injected.broken)
        totals = {} if injected.broken else control_totals(injected.text, feed)
        record = self._record(slot, feed, look, sent, injected, self._name(slot, feed, look, suffix))
        record.control_totals = totals
        if record.data_rows >= 10 and record.quarantined > feed.max_quarantined_share * record.data_rows:
            record.expected_status, record.reason = "held", "too_many_bad_rows"
        self._write(record, content, look, sent)
        return record

    def _record(
        self, slot: Slot, feed: Feed, look: Style, sent: datetime, injected: faults.Injected, name: str
    ) -> truth.Expected:
        top = int(look.title) + int(look.unit)
        lines = 0 if look.format == "jsonl" else 2 if look.two_line_header else 1
        return truth.Expected(
            file=f"inbox/{feed.name}/{name}", feed=feed.name, period=slot.period, division=slot.division,
            mode=feed.mode, format=look.label, sidecar=bool(look.statements),
            sent_at=sent.isoformat() if look.statements else None, received_at=sent.isoformat(),
            data_rows=injected.text.height, header_rows=lines, header_row=top + 1 if lines else 0, framing=look.framing,
            expected_quarantined=dict(injected.quarantined), cell_defects=dict(injected.cells),
            harmless_variants=dict(injected.harmless), schema_drift=[look.extra] if look.extra else [],
            absent_optional=[column.name for column in feed.columns if column.name not in look.order],
        )  # fmt: skip

    def _write(self, record: truth.Expected, content: bytes, look: Style, sent: datetime) -> None:
        path = self.inbox / record.feed / record.file.rsplit("/", 1)[-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        _stamp(path, sent)
        record.bytes = len(content)
        self.expected.append(record)
        if not look.statements:
            return
        sidecar = path.with_name(path.name + ".manifest.json")
        sidecar.write_text(
            json.dumps(_statement(record, content, look), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        _stamp(sidecar, sent)

    def _send_again(self, first: truth.Expected, sent: datetime) -> None:
        """The same bytes under another name."""
        original = self.inbox / first.feed / first.file.rsplit("/", 1)[-1]
        copy = original.with_name(f"{original.stem}(1){original.suffix}")
        copy.write_bytes(original.read_bytes())
        _stamp(copy, sent)
        self.expected.append(
            replace(
                first, file=f"inbox/{first.feed}/{copy.name}", expected_status="duplicate", reason="duplicate",
                received_at=sent.isoformat(), expected_quarantined={}, cell_defects={}, harmless_variants={},
                control_totals={}, expected_warnings=[], duplicate_of=first.file,
            )
        )  # fmt: skip

    def _send_rejected(
        self, rng: np.random.Generator, slot: Slot, feed: Feed, frame: pl.DataFrame, sent: datetime
    ) -> None:
        """A first report that must be rejected, in one of four ways."""
        look = replace(style.plain(feed), encoding="utf-8")
        kind = str(rng.choice(["unreadable", "column_missing", "empty", "manifest_mismatch"]))
        text = to_text(frame, feed, look)
        missing = None
        if kind == "column_missing":
            required = [column.name for column in feed.columns if column.required]
            missing = str(rng.choice(required))
            look = replace(look, order=tuple(name for name in look.order if name != missing))
            text = text.drop(missing)
        if kind == "empty":
            text = text.clear()
        if kind == "manifest_mismatch":
            look = replace(look, statements=frozenset({"feed", "period", "rows"}))
        content = writing.render(text, feed, look, "", [])
        if kind == "unreadable":
            look = replace(look, format="xlsx", extension="xlsx")
            content = b"PK\x03\x04" + bytes(rng.integers(0, 256, 2000, dtype=np.uint8))
        name = self._name(slot, feed, look, "_初报")
        record = self._record(slot, feed, look, sent, faults.Injected(text), name)
        record.expected_status, record.reason, record.missing_column = "rejected", kind, missing
        if kind == "manifest_mismatch":
            record.data_rows += 7  # what the sidecar will state; set right below
        self._write(record, content, look, sent)
        record.data_rows = text.height if kind != "unreadable" else 0

    def _name(self, slot: Slot, feed: Feed, look: Style, suffix: str) -> str:
        month = first_date(slot.month)
        part = f"_{slot.division}" if slot.division else ""
        stem = (
            f"{slot.period}_{feed.title_zh}{part}",
            f"{feed.name}_{month:%Y-%m}{part}",
            f"{feed.title_zh}({month.year}年{month.month}月){part}",
            f"{feed.title_zh}_{slot.period}{part}",
        )[look.named_by]
        return f"{stem}{suffix}.{look.extension}"

    def _title(self, slot: Slot, feed: Feed) -> str:
        month = first_date(slot.month)
        return f"鄂州市{feed.title_zh}（{month.year}年{month.month}月）"


def _statement(record: truth.Expected, content: bytes, look: Style) -> dict[str, Any]:
    known: dict[str, Any] = {
        "feed": record.feed,
        "period": record.period,
        "rows": record.data_rows,
        "sha256": hashlib.sha256(content).hexdigest(),
        "control_totals": record.control_totals,
    }
    statement = {key: value for key, value in known.items() if key in look.statements and value != {}}
    if record.division:
        statement["division"] = record.division
    return {**statement, "sent_at": record.sent_at}


def _incomplete(rng: np.random.Generator, frame: pl.DataFrame) -> pl.DataFrame:
    """A report that lacks a few rows, which the correction brings."""
    kept = rng.random(frame.height) >= 0.03
    kept[rng.integers(frame.height)] = False
    return frame.filter(pl.Series(kept))


def _stamp(path: Path, sent: datetime) -> None:
    """The file's time is the simulated one: it stands for the time of arrival where no sidecar says it."""
    os.utime(path, (sent.timestamp(), sent.timestamp()))
