"""A data home's lake as plain frames, for the independent reading of the indicators (``indicator_oracle``).

Belongs here: rows in force by month, events with the month that told them, who lives together. Does not belong here:
rules. Nothing of the warehouse is used but its households and its register by person, which have oracles of their own
(``household_truth``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

MONTH = pl.col("month")


class LakeCity:
    """The lake of one home, read once a feed. Months are dates, the first of the month."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.validity = pl.read_parquet(home / "reference/delivery_validity.parquet")
        self.members = self.published("household_member_month")
        self.households = self.published("household_month")
        self.months = self.households.select("month").unique().sort("month")
        self.born = pl.read_parquet(home / "reference/person_key.parquet").select("person_key", "born_on")

    def published(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.home / f"published/{table}.parquet")

    @cache  # noqa: B019 - one city a process
    def rows(self, feed: str) -> pl.DataFrame:
        """Rows of deliveries in force, with valid_from and valid_to (months, half open)."""
        files = sorted((self.home / "lake" / feed).glob("*/*.parquet"))
        lake = pl.concat([pl.read_parquet(file) for file in files], how="diagonal_relaxed")
        spoken = self.validity.filter(pl.col("feed") == feed).select(
            "delivery_id", "valid_from", "valid_to", pl.col("area").alias("_area")
        )
        rows = lake.join(spoken, on="delivery_id")
        inside = pl.col("_area").is_null()
        if "division" in rows.columns:
            inside |= pl.col("division").str.starts_with(pl.col("_area")).fill_null(False)
        return rows.filter(inside).drop("_area")

    @cache  # noqa: B019
    def standing(self, feed: str) -> pl.DataFrame:
        """A register as it stands in each month: one more column ``month``."""
        return self.rows(feed).join_where(
            self.months, pl.col("valid_from") <= MONTH, pl.col("valid_to") > MONTH
        )  # fmt: skip

    def told(self, feed: str, *key: str) -> pl.DataFrame:
        """Events with ``known``, the month of the first delivery that told them; the newest telling counts."""
        rows = self.rows(feed)
        first = rows.group_by(key).agg(pl.col("valid_from").min().alias("known"))
        return rows.sort("valid_from", "row_number").unique(key, keep="last").join(first, on=key)

    @cache  # noqa: B019
    def arrived(self, feed: str) -> frozenset[object]:
        """Months for which a file of their own came in."""
        return frozenset(self.rows(feed)["valid_from"].unique().to_list())

    @cache  # noqa: B019
    def counted(self) -> pl.DataFrame:
        return self.members.filter("is_counted").select("month", "household_id", "person_key", "age_years")

    @cache  # noqa: B019
    def home_of(self) -> pl.DataFrame:
        return self.members.select("month", "household_id", "person_key")

    @cache  # noqa: B019
    def register(self) -> pl.DataFrame:
        """The assistance register of months in which it came in, with the household of each person."""
        entry = self.standing("assistance_register").filter(pl.col("valid_from") == MONTH)
        layer = pl.col("programme").replace_strict(
            {"11": "dibao", "12": "dibao", "21": "destitute", "31": "marginal", "41": "rigid_expenditure"}
        )
        area = pl.when(pl.col("division").str.slice(9, 3).cast(pl.Int32) < 200).then(pl.lit("urban"))
        counted = self.members.select("month", "person_key", "is_counted", "household_id")
        return (
            entry.with_columns(layer.alias("layer"), area.otherwise(pl.lit("rural")).alias("area"))
            .join(counted, on=["month", "person_key"], how="left")
            .with_columns(pl.col("is_counted").fill_null(True))
        )


def month_of(column: str) -> pl.Expr:
    return pl.col(column).dt.truncate("1mo")


def months_between(earlier: pl.Expr, later: pl.Expr) -> pl.Expr:
    """Whole calendar months from the month of one day to that of the other."""
    number = later.dt.year() * 12 + later.dt.month() - earlier.dt.year() * 12 - earlier.dt.month()
    return number.cast(pl.Int64)
