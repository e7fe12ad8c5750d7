"""A small made-up panel in the shape of household_month_feature and household_month_label_event."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from ml.months import month_date, month_number

FIRST = date(2023, 1, 1)


@dataclass(frozen=True)
class Panel:
    """The two tables, and the last month of them."""

    features: pl.DataFrame
    events: pl.DataFrame
    last: date


def panel(households: int = 1200, months: int = 18, seed: int = 1, strength: float = 1.0, delay: int = 1) -> Panel:
    """Households with an income, a medical burden and reports; those in trouble enter assistance with a hazard.

    Entries appear in the tables `delay` months after they happen. strength 0 is a world without signal.
    """
    rng = np.random.default_rng(seed)
    first = month_number(FIRST)
    names = np.array([_name(number) for number in range(households)])
    township = np.array([f"42070410{number % 4}" for number in range(households)])
    income = rng.lognormal(1.0, 0.5, households)
    entered = np.full(households, 10**6)
    frames, events = [], []
    for step in range(months):
        at = first + step
        shock = rng.random(households)
        ratio = income * np.where(shock < 0.04, 0.3, 1.0) * rng.lognormal(0, 0.1, households)
        medical = rng.exponential(0.2, households) * np.where(rng.random(households) < 0.05, 10, 1)
        reports = (rng.random(households) < 0.03).astype(float)
        risk = -5.0 + strength * (1.5 * (ratio < 1.0) + 2.0 * np.log1p(medical) + 2.0 * reports - 0.8 * ratio)
        frames.append(
            pl.DataFrame(
                {
                    "household_id": names,
                    "month": [month_date(at)] * households,
                    "township_code": township,
                    "is_on_assistance": entered + delay <= at,
                    "income_standard_ratio": np.where(rng.random(households) < 0.1, np.nan, ratio),
                    "medical_standard_ratio": medical,
                    "report_12m_count": reports,
                    "member_count": rng.integers(1, 6, households).astype(float),
                    "unemployed_count": (shock < 0.05).astype(float),
                    "car_count": rng.integers(0, 2, households).astype(float),
                }
            )
        )
        happens = (rng.random(households) < 1 / (1 + np.exp(-risk))) & (entered > at)
        entered = np.where(happens, at + 1 + rng.integers(0, 2, households), entered)
        gone = (rng.random(households) < 0.0005) & (entered > at + 3)
        events += [(name, "departed", month_date(at + 1), month_date(at + 1)) for name in names[gone]]
    events += [
        (name, "register", month_date(int(when)), month_date(int(when) + delay))
        for name, when in zip(names, entered, strict=True)
        if when < first + months + 6
    ]
    schema = {"household_id": pl.String, "event": pl.String, "event_month": pl.Date, "observed_month": pl.Date}
    table = pl.DataFrame(events, schema=schema, orient="row")
    features = pl.concat(frames).with_columns(pl.col("income_standard_ratio").fill_nan(None))
    return Panel(features, table, month_date(first + months - 1))


def _name(number: int) -> str:
    letters = []
    for _ in range(8):
        number, digit = divmod(number, 26)
        letters.append(chr(97 + digit))
    return "h" + "".join(letters)
