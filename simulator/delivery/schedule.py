"""Who sends what and when: the slots of every feed, and the incidents that befall some of them.

Belongs here: the calendar of deliveries. Does not belong here: their content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from models.codes import load_divisions
from models.contract import Feed, load_feeds
from simulator.months import first_date, period_text
from simulator.randomness import stream

CHINA = timezone(timedelta(hours=8))
BY_DISTRICT = ("assistance_register", "elder_register", "disability_register", "population_register")
# Snapshots that departments send once a quarter; population from the first month, the others at quarter ends too.
QUARTERLY = ("population_register", "property_register", "vehicle_register", "business_register", "student_register")
INCIDENTS = ("duplicate", "correction", "rejected", "held", "late")
_RATES = {"duplicate": 0.006, "correction": 0.012, "rejected": 0.008, "held": 0.003, "late": 0.002}
_LARGE = (
    "pension_payment",
    "social_insurance",
    "medical_settlement",
    "income_tax",
    "assistance_payment",
)


@dataclass(frozen=True)
class Slot:
    """One delivery that is due: a feed, a month, and the district that sends its part (six digits)."""

    feed: str
    month: int
    division: str | None

    @property
    def period(self) -> str:
        return period_text(self.month)


def counties() -> tuple[str, ...]:
    return tuple(sorted(division.code[:6] for division in load_divisions() if division.level == "county"))


def slots_of(month: int, first_month: int) -> list[Slot]:
    """All deliveries due for a month, in order of feed and district."""
    slots = []
    for feed in load_feeds().values():
        if not _sends(feed.name, month, first_month):
            continue
        parts: tuple[str | None, ...] = counties() if feed.name in BY_DISTRICT else (None,)
        slots += [Slot(feed.name, month, part) for part in parts]
    return slots


def _sends(feed: str, month: int, first_month: int) -> bool:
    if feed not in QUARTERLY or month == first_month:
        return True
    if feed == "population_register":
        return (month - first_month) % 3 == 0
    return month % 3 == 2


def incidents(seed: int, first_month: int, last_month: int, defects: float) -> dict[Slot, str]:
    """What befalls which delivery; at least one of each kind where there are defects and three months at all."""
    if defects <= 0:
        return {}
    rng = stream(seed, "incidents")
    slots = [slot for month in range(first_month, last_month + 1) for slot in slots_of(month, first_month)]
    later = [slot for slot in slots if slot.month > first_month]
    found: dict[Slot, str] = {}
    for kind in INCIDENTS:
        fitting = [slot for slot in later if slot not in found and _fits(kind, slot)]
        count = round(max(1.0, _RATES[kind] * defects * len(slots)))
        for place in rng.permutation(len(fitting))[:count]:
            found[fitting[place]] = kind
    return found


def _fits(kind: str, slot: Slot) -> bool:
    feed: Feed = load_feeds()[slot.feed]
    if slot.feed == "price_index":
        return False
    if kind == "late":
        return feed.name == "housing_fund"
    return kind != "held" or slot.feed in _LARGE


def sent_at(seed: int, slot: Slot, days_late: int = 0) -> datetime:
    """When a delivery is sent: between the third and the ninth of the following month, in the morning."""
    rng = stream(seed, "sent", slot.feed, slot.month, slot.division or "")
    start: date = first_date(slot.month + 1)
    day, minute = int(rng.integers(2, 9)), int(rng.integers(0, 55))
    moment = datetime(start.year, start.month, start.day, 9, minute, tzinfo=CHINA)
    return moment + timedelta(days=day + days_late)
