"""Rolling origins: which months a model may learn from and be judged on, with horizon and embargo; no data."""

from dataclasses import dataclass
from datetime import date

from ml.months import month_date, month_number


@dataclass(frozen=True)
class Origin:
    """One as-of month: learn from months up to `learn_until`, score `month`, judge when `matures` is reached."""

    month: date
    learn_from: date
    learn_until: date
    matures: date


def origin_at(month: date, first_month: date, horizon: int, embargo: int) -> Origin:
    """The origin of an as-of month: a label at t is mature once t + horizon + embargo has been observed."""
    gap = horizon + embargo
    return Origin(
        month=month,
        learn_from=first_month,
        learn_until=month_date(month_number(month) - gap),
        matures=month_date(month_number(month) + gap),
    )


def rolling_origins(
    first_month: date, as_of_month: date, horizon: int, embargo: int, least: int, most: int
) -> tuple[Origin, ...]:
    """Up to `most` origins, evenly spread and ending with the newest whose outcome is mature at the as-of month.

    Each has at least `least` months to learn from; none exists while the history is too short for that.
    """
    gap = horizon + embargo
    earliest = month_number(first_month) + gap + least - 1
    latest = month_number(as_of_month) - gap
    possible = list(range(earliest, latest + 1))
    if not possible:
        return ()
    step = -(-len(possible) // most)
    chosen = possible[::-1][::step][::-1]
    return tuple(origin_at(month_date(number), first_month, horizon, embargo) for number in chosen)
