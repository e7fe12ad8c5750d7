"""What a delivery says of itself: in its file name and in its sidecar.

Belongs here: period, division and the sidecar's statements. Does not belong here: what the file really holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from ingestion.normalise import normalise_text
from ingestion.reading.json_lines import said_once
from ingestion.reason import MANIFEST_MISMATCH, FileRejectedError
from models.calendar import ZONE_NAME
from models.codes import load_divisions

SIDECAR_SUFFIX = ".manifest.json"
# Departments write local time without a zone.
LOCAL_ZONE = timezone(timedelta(hours=8), ZONE_NAME)

_PERIOD = re.compile(
    r"(?a)(?<!\d)(?:(?P<y1>199\d|20\d\d)(?P<m1>0[1-9]|1[0-2])(?!\d)"
    r"|(?P<y2>199\d|20\d\d)-(?P<m2>0[1-9]|1[0-2])(?!\d)"
    r"|(?P<y3>199\d|20\d\d)\s*年\s*(?P<m3>0?[1-9]|1[0-2])\s*月)"
)
# What no file can hold is no statement about one, and arithmetic with it would never end.
_MAX_NUMBER = Decimal(10) ** 18
_YEARS = range(1990, 2100)
_DIVISION = re.compile(r"(?a)(?<!\d)(\d{12}|\d{9}|\d{6})(?!\d)")


@dataclass(frozen=True)
class Sidecar:
    """The statements of a sidecar, each None where it makes none; ``period`` is ``YYYY-MM``."""

    feed: str | None = None
    period: str | None = None
    division: str | None = None
    states_division: bool = False
    rows: int | None = None
    sha256: str | None = None
    control_totals: dict[str, Decimal] = field(default_factory=dict)
    sent_at: datetime | None = None
    sender: str | None = None

    @property
    def key(self) -> str:
        """The same for sidecars that state the same of the file (when it was sent is no statement about it)."""
        stated = [self.feed, self.period, self.division if self.states_division else "", self.rows, self.sha256]
        totals = sorted((name, str(total.normalize())) for name, total in self.control_totals.items())
        sender = [] if self.sender is None else [self.sender]
        return hashlib.sha256(json.dumps([stated, totals, *sender]).encode()).hexdigest()


NO_SIDECAR = Sidecar()


def period_of(text: str) -> str | None:
    """The first data month in a text as ``YYYY-MM``; full-width digits are digits."""
    found = _PERIOD.search(normalise_text(text))
    if found is None:
        return None
    parts = found.groupdict()
    year = parts["y1"] or parts["y2"] or parts["y3"]
    month = parts["m1"] or parts["m2"] or parts["m3"]
    return f"{year}-{int(month):02d}"


def division_of(file_name: str) -> tuple[str | None, bool]:
    """The division in a file name, and whether there is any; the city itself is None: all of it."""
    for code in _DIVISION.findall(normalise_text(file_name)):
        if code.ljust(12, "0") in _known_divisions():
            return _known_divisions()[code.ljust(12, "0")], True
    return None, False


@cache
def _known_divisions() -> dict[str, str | None]:
    """Short code (6, 9 or 12 digits) by full code; None for the city."""
    return {division.code: None if division.level == "city" else division.short_code for division in load_divisions()}


def read_sidecar(data: bytes) -> Sidecar:
    """The statements of a sidecar; ``FileRejectedError`` (manifest_mismatch) where it is no usable JSON object."""
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_float=Decimal, object_pairs_hook=said_once)
        if not isinstance(document, dict):
            raise ValueError("no object")
        stated = {key: value for key, value in document.items() if value is not None}
        division, states_division = _stated_division(stated.get("division"))
        return Sidecar(
            feed=None if "feed" not in stated else str(stated["feed"]),
            period=None if "period" not in stated else _stated_period(stated["period"]),
            division=division,
            states_division=states_division,
            rows=None if "rows" not in stated else _whole(stated["rows"]),
            sha256=None if "sha256" not in stated else str(stated["sha256"]).strip().lower(),
            control_totals=_stated_totals(stated.get("control_totals", {})),
            sent_at=None if "sent_at" not in stated else _moment(stated["sent_at"]),
            sender=None if "sender" not in stated else str(stated["sender"]),
        )
    except (ValueError, TypeError, InvalidOperation, RecursionError, OverflowError, ArithmeticError):
        raise FileRejectedError(MANIFEST_MISMATCH, "the sidecar is no usable JSON object") from None


def _stated_totals(value: Any) -> dict[str, Decimal]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return {key: _decimal(total) for key, total in value.items() if total is not None}


def _stated_period(value: Any) -> str:
    period = period_of(str(value))
    if period is None:
        raise ValueError("no period")
    return period


def _stated_division(value: Any) -> tuple[str | None, bool]:
    if value is None or not normalise_text(str(value)):
        return None, False
    code = normalise_text(str(value)).ljust(12, "0")
    if code not in _known_divisions():
        raise ValueError("no division of this city")
    return _known_divisions()[code], True


def _whole(value: Any) -> int:
    number = _decimal(value)
    if number != int(number) or number < 0:
        raise ValueError("no count")
    return int(number)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or value is None:
        raise ValueError("no number")
    number = Decimal(str(value).replace(",", "").strip())
    if not number.is_finite() or abs(number) > _MAX_NUMBER or int(number.as_tuple().exponent) < -20:
        raise ValueError("no number")
    return number


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(str(value).strip())
    if moment.year not in _YEARS:
        raise ValueError("no time of sending")
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)
