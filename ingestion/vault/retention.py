"""Who is past retention: persons and classes of record whose every clock has run out.

Belongs here: the arithmetic of months over spans, deaths and the register. Does not belong here: the months
themselves (``models.policy.retention``), deleting (``purge``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from ingestion.delivery import Delivery
from ingestion.in_force import OPEN_END
from ingestion.store import Store
from models.policy.retention import RetentionClass, RetentionPolicy

ON_REGISTER = "on_register"


@dataclass(frozen=True)
class Verdict:
    """``due``: person_key and class to be deleted. ``kept``: person_key, class and why, of those past retention."""

    due: pl.DataFrame
    kept: pl.DataFrame


def month_number(day: date) -> int:
    """Months since year 0: differences are months apart."""
    return day.year * 12 + day.month - 1


def period_number(period: str) -> int:
    """The same of a data month YYYY-MM."""
    return int(period[:4]) * 12 + int(period[5:7]) - 1


def verdict(
    spans: pl.DataFrame,
    deliveries: Sequence[Delivery],
    validity: pl.DataFrame,
    deaths: pl.DataFrame,
    policy: RetentionPolicy,
    as_of: date,
    protected: Mapping[str, pl.Series],
) -> Verdict:
    """Whom the policy lets go as of a day.

    ``spans`` is that of the vault (person_key, feed, role, first, last), ``validity`` that of the deliveries,
    ``deaths`` has person_key and died_on, ``protected`` person keys by the reason for which they are kept.
    """
    now = month_number(as_of)
    seen = _last_seen(spans, deliveries, validity, now)
    on_register = seen.filter(pl.col("feed") == policy.register, pl.col("spoken") >= now)["person_key"].unique()
    left = seen.filter(pl.col("feed") == policy.register).group_by("person_key").agg(left=pl.col("spoken").max())
    died = (
        deaths.drop_nulls()
        .group_by("person_key")
        .agg(died=(pl.col("died_on").dt.year().cast(pl.Int32) * 12 + pl.col("died_on").dt.month() - 1).min())
    )
    parts = []
    for item in policy.classes:
        own = seen.filter(pl.col("feed").is_in(item.feeds)).group_by("person_key").agg(pl.col("spoken", "own").max())
        timed = own.join(left, on="person_key", how="left").join(died, on="person_key", how="left")
        over = timed.filter(_end(item) < now)
        parts.append(over.select("person_key", pl.lit(item.name).alias("class")))
    past = pl.concat([pl.DataFrame(schema={"person_key": pl.String, "class": pl.String}), *parts])
    reasons = pl.concat(
        pl.DataFrame({"person_key": keys.unique()}, schema={"person_key": pl.String}).with_columns(why=pl.lit(why))
        for why, keys in {ON_REGISTER: on_register, **protected}.items()
    ).unique("person_key", keep="first", maintain_order=True)
    return Verdict(
        past.join(reasons, on="person_key", how="anti").sort("person_key", "class"),
        past.join(reasons, on="person_key", how="inner").sort("person_key", "class"),
    )


def _end(item: RetentionClass) -> pl.Expr:
    """The last month in which a class is kept: the latest of the clocks that apply."""
    seen = pl.col("spoken") + item.after_last_appearance
    # A register may go on carrying the dead forward, so only a delivery's own month counts after a death.
    dead = pl.max_horizontal("died", "own") + item.after_death
    base = pl.when(pl.col("died").is_null()).then(seen).otherwise(dead)
    return pl.max_horizontal(base, pl.col("left") + item.after_leaving_register)


def _last_seen(spans: pl.DataFrame, deliveries: Sequence[Delivery], validity: pl.DataFrame, now: int) -> pl.DataFrame:
    """person_key, feed, own (month of the last delivery about them) and spoken (last month that it speaks for)."""
    until = pl.col("valid_to").dt.year().cast(pl.Int32) * 12 + pl.col("valid_to").dt.month() - 2
    speaks = validity.group_by("delivery_id").agg(
        until=pl.when(pl.col("valid_to") == OPEN_END).then(pl.lit(now)).otherwise(until).max()
    )
    months = pl.DataFrame(
        [(item.sequence, item.delivery_id, period_number(str(item.period))) for item in deliveries if item.period],
        schema={"last": pl.Int32, "delivery_id": pl.String, "own": pl.Int32},
        orient="row",
    ).join(speaks, on="delivery_id", how="left")
    told = months.select("last", "own", spoken=pl.max_horizontal("own", pl.min_horizontal("until", pl.lit(now))))
    return spans.join(told, on="last").group_by("person_key", "feed").agg(pl.col("own", "spoken").max())


def deaths_known(store: Store, deliveries: Sequence[Delivery], policy: RetentionPolicy) -> pl.DataFrame:
    """person_key and died_on from the feeds that the policy names, of accepted deliveries."""
    parts = []
    for source in policy.deaths:
        for item in deliveries:
            path = store.lake_file(item.feed, str(item.period), item.delivery_id)
            if item.feed == source.feed and path.exists():
                wanted = [pl.col(column) == content for column, content in source.where]
                rows = pl.scan_parquet(path).filter(pl.lit(True), *wanted)
                parts.append(rows.select("person_key", pl.col(source.column).alias("died_on")))
    empty = pl.DataFrame(schema={"person_key": pl.String, "died_on": pl.Date})
    return pl.concat([empty, *(part.collect() for part in parts)]).unique()
