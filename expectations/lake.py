"""Reading accepted rows: one delivery's, or those in force in a month.

Belongs here: paths, columns and validity of the lake as ingestion leaves it. Does not belong here: judging rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from models.contract import Feed

# How many rows one validation takes at most: more would cost gigabytes in pandas.
MAX_ROWS_AT_ONCE = 1_000_000

POLARS_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "date": pl.Date(),
    "decimal": pl.Float64(),
    "float": pl.Float64(),
    "int": pl.Int64(),
}


def lake_schema(feed: Feed) -> dict[str, pl.DataType]:
    """Columns of the feed's rows as the checks see them: money as float, since nothing is summed to the cent."""
    fields = {field.name: POLARS_TYPES[field.type] for field in feed.lake_fields}
    return {**fields, "delivery_id": pl.String(), "row_number": pl.Int64(), "period": pl.String()}


def scan_deliveries(lake: Path, feed: Feed, delivery_ids: Sequence[str]) -> pl.LazyFrame:
    """The rows of these deliveries. One without a file (a quiet month) has none; a lost file shows as lost rows."""
    schema = lake_schema(feed)
    paths = [path for delivery_id in delivery_ids if (path := delivery_path(lake, delivery_id)).is_file()]
    if not paths:
        return pl.LazyFrame(schema=schema)
    rows = pl.scan_parquet(paths, missing_columns="insert", extra_columns="ignore", hive_partitioning=False)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def delivery_path(lake: Path, delivery_id: str) -> Path:
    """Where the delivery's rows lie; feed and period are part of its id."""
    feed, period, _ = delivery_id.split(".")
    return lake / feed / f"period={period}" / f"{delivery_id}.parquet"


def batches(deliveries: pl.DataFrame, max_rows: int = MAX_ROWS_AT_ONCE) -> Iterator[pl.DataFrame]:
    """Split deliveries (delivery_id, rows_accepted, ...) so that none but a single large one exceeds ``max_rows``."""
    ordered = deliveries.sort("period", "delivery_id")
    before = pl.col("rows_accepted").fill_null(0).cum_sum().shift(1, fill_value=0)
    yield from ordered.with_columns(batch=before // max_rows).partition_by(
        "batch", maintain_order=True, include_key=False
    )


@dataclass(frozen=True)
class InForce:
    """Which deliveries hold in which month.

    ``validity``: delivery_id, feed, area (prefix of division or null for all rows), excepted (prefixes, as
    ``,420702,420703001,``), valid_from, valid_to (half open).
    """

    lake: Path
    validity: pl.DataFrame

    def deliveries(self, feed: Feed, periods: Sequence[str], same_month: bool) -> pl.DataFrame:
        """period, delivery_id, area, excepted of the deliveries of ``feed`` known in each period.

        A snapshot: those in force that month. Events: all up to that month, or with ``same_month`` its own.
        """
        months = pl.DataFrame({"period": list(periods)}, schema={"period": pl.String})
        months = months.unique().with_columns(month=(pl.col("period") + "-01").str.to_date())
        known = months.join(self.validity.filter(pl.col("feed") == feed.name), how="cross")
        if feed.mode == "snapshot":
            holds = (pl.col("valid_from") <= pl.col("month")) & (pl.col("month") < pl.col("valid_to"))
        elif same_month:
            holds = pl.col("valid_from") == pl.col("month")
        else:
            holds = pl.col("valid_from") <= pl.col("month")
        if feed.division_column is None:
            holds &= pl.col("area").is_null()
        return known.filter(holds).select("period", "delivery_id", "area", "excepted").unique().sort(pl.all())

    def rows(
        self, feed: Feed, known: pl.DataFrame, wanted: pl.DataFrame, where: str | None, columns: Sequence[str]
    ) -> pl.DataFrame:
        """The rows of the ``known`` deliveries, once for each period, columns prefixed ``other_``.

        Only those whose keys occur in ``wanted`` (one column for each key, named as in the feed), and of their
        ``columns`` only these besides the keys: a register of a million has no room for more.
        """
        rows = scan_deliveries(self.lake, feed, known["delivery_id"].unique().sort().to_list())
        if where:
            rows = rows.filter(pl.sql_expr(where))
        rows = rows.join(wanted.lazy(), on=wanted.columns, how="semi")
        kept = {*wanted.columns, *columns, "delivery_id", *([feed.division_column] if feed.division_column else [])}
        rows = rows.select(pl.col(name).alias(f"other_{name}") for name in lake_schema(feed) if name in kept)
        here = rows.collect()
        found = here.join(known, left_on="other_delivery_id", right_on="delivery_id", how="inner", coalesce=False)
        if feed.division_column is None:
            return found.drop("delivery_id", "area", "excepted")
        division = pl.col(f"other_{feed.division_column}")
        inside = pl.col("area").is_null() | division.str.starts_with(pl.col("area"))
        # Divisions have 6, 9 or 12 digits: an excepted one is one of these beginnings.
        listed = [pl.concat_str(pl.lit(","), division.str.slice(0, digits), pl.lit(",")) for digits in (6, 9, 12)]
        excepted = pl.any_horizontal(pl.col("excepted").str.contains(text, literal=True) for text in listed)
        return found.filter(inside & ~excepted.fill_null(False)).drop("delivery_id", "area", "excepted")
