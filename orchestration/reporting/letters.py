"""The letters to departments: published tables and masked examples, put together for ``workbench``.

Belongs here: reading, and turning rows at fault into file, row number and masked shape. The quarantine is opened for
that shape alone: no value leaves this module. Does not belong here: the look of a letter
(``workbench.department_letter``).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from ingestion import Quarantine
from ingestion.header import header_of
from ingestion.mending.comparison import cells_of_raw
from ingestion.quarantine import masked_shape
from ingestion.reason import ROW_MALFORMED
from ingestion.table import ROW_NUMBER
from models.contract import Feed, load_feeds
from orchestration.decisions.quality_decisions import QualityDecisions
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.trail.manifest import described, hand_over
from workbench.department_letter import Letter, LetterTables, write_letters

# Rows named for each fault or failed check of a feed: enough to find it, few enough to be read.
EXAMPLES = 3
EXAMPLE_SCHEMA = {
    "feed": pl.String(),
    "file_name": pl.String(),
    "row_number": pl.Int64(),
    "column": pl.String(),
    "what": pl.String(),
    "shape": pl.String(),
}


def departments_of(scorecard: pl.DataFrame, month: date) -> list[str]:
    """Departments with a feed in that month."""
    return [str(name) for name in scorecard.filter(pl.col("month") == month)["department"].unique().sort()]


def letters_of(
    home: DataHome, scorecard: pl.DataFrame, departments: list[str], month: date, lang: str, made_on: date
) -> list[Letter]:
    """The letters of a month to these departments."""
    feeds = load_feeds()
    own = {name: feed for name, feed in feeds.items() if feed.department in departments}
    results = read_published(home, "check_result")
    tables = LetterTables(
        scorecard=scorecard,
        results=results,
        defects=read_published(home, "feed_defect_month"),
        checks=pl.read_parquet(home.reference / "check.parquet"),
        waivers=_waivers(home),
        examples=examples_of(home, own, month, results),
    )
    return [Letter(tables, feeds, department, month, lang, made_on) for department in departments]


def write_department_letters(home: DataHome, letters: list[Letter], folder: Path, who: str) -> list[Path]:
    """PDF and workbook of each letter; named in a manifest beside them and in the audit log."""
    paths = write_letters(letters, folder)
    if paths:
        month, lang = letters[0].month, letters[0].lang
        written = [described("letter", month, lang, path) for path in paths]
        hand_over(home, written, month, who=who, manifest=folder / f"manifest_letters_{month:%Y%m}.json")
    return paths


def _waivers(home: DataHome) -> pl.DataFrame:
    rows = [(row["waiver_id"], row["valid_until"]) for row in QualityDecisions(home.operations).waivers()]
    return pl.DataFrame(rows, schema={"waiver_id": pl.String, "valid_until": pl.Date}, orient="row")


def examples_of(home: DataHome, feeds: dict[str, Feed], month: date, results: pl.DataFrame) -> pl.DataFrame:
    """A few rows for each fault, failed check and contradiction of these feeds in the month (``EXAMPLE_SCHEMA``)."""
    deliveries = _counted(home, feeds, month)
    parts = [
        _of_quarantine(home, feeds, deliveries),
        _of_cells(home, feeds, deliveries),
        _of_checks(home, deliveries, results, month),
        _of_contradictions(home, deliveries, month),
    ]
    files = deliveries.select("delivery_id", "file_name")
    # A digit is shown as #: eighteen nines would look like a number.
    shape = pl.col("shape").str.replace_all("9", "#", literal=True)
    located = pl.concat(parts).join(files, on="delivery_id").with_columns(shape).select(list(EXAMPLE_SCHEMA))
    return located.unique(maintain_order=True).sort("feed", "what", "column", "file_name", "row_number")


def _counted(home: DataHome, feeds: dict[str, Feed], month: date) -> pl.DataFrame:
    ledger = pl.read_parquet(home.reference / "delivery.parquet")
    replaced = ledger.filter(pl.col("status") == "accepted").select(delivery_id="supersedes").drop_nulls()
    own = ledger.filter(
        pl.col("feed").is_in(list(feeds)),
        pl.col("period") == f"{month:%Y-%m}",
        pl.col("status").is_in(["accepted", "held"]),
    )
    return own.join(replaced, on="delivery_id", how="anti")


_PART = {"delivery_id": pl.String(), **{name: kind for name, kind in EXAMPLE_SCHEMA.items() if name != "file_name"}}


def _shaped(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=_PART), *(part.select(list(_PART)).cast(_PART) for part in parts)])  # type: ignore[arg-type]


def _first(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    return rows.sort("delivery_id", "row_number").group_by(by, maintain_order=True).head(EXAMPLES)


def _of_quarantine(home: DataHome, feeds: dict[str, Feed], deliveries: pl.DataFrame) -> pl.DataFrame:
    faults = pl.read_parquet(home.reference / "quarantine_row.parquet").join(
        deliveries.select("delivery_id"), on="delivery_id", how="semi"
    )
    chosen = _first(faults, "feed", "reason", "column").select("delivery_id", "feed", "row_number", "column", "reason")
    parts = []
    for (delivery_id, feed), rows in chosen.group_by("delivery_id", "feed", maintain_order=True):
        shapes = _shapes(home, feeds[str(feed)], str(delivery_id), rows)
        parts.append(rows.join(shapes, on=["row_number", "column"], how="left").with_columns(what="reason"))
    return _shaped(parts)


def _shapes(home: DataHome, feed: Feed, delivery_id: str, rows: pl.DataFrame) -> pl.DataFrame:
    """row_number, column, shape of the cells at fault in quarantined rows; malformed rows have no columns."""
    raw = Quarantine(store_of(home)).raw_rows(feed.name, delivery_id)
    wanted = raw.join(rows.select("row_number").unique(), on="row_number", how="semi")
    cells = cells_of_raw(wanted.filter(~pl.col("reasons").str.contains(ROW_MALFORMED, literal=True)))
    labels = [name for name in cells.columns if name != ROW_NUMBER]
    named = {column.name: labels[at] for at, column in header_of(labels, feed).columns.items()} if labels else {}
    empty = pl.DataFrame(schema={"row_number": pl.Int64, "column": pl.String, "shape": pl.String})
    parts = [
        cells.select("row_number", pl.lit(name).alias("column"), masked_shape(pl.col(label)).alias("shape"))
        for name, label in named.items()
    ]
    return pl.concat([empty, *parts])


def _of_cells(home: DataHome, feeds: dict[str, Feed], deliveries: pl.DataFrame) -> pl.DataFrame:
    faults = pl.read_parquet(home.reference / "cell_defect.parquet").join(
        deliveries.select("delivery_id"), on="delivery_id", how="semi"
    )
    chosen = _first(faults, "feed", "reason", "column")
    quarantine, parts = Quarantine(store_of(home)), []
    for (delivery_id, feed), rows in chosen.group_by("delivery_id", "feed", maintain_order=True):
        kept = quarantine.cell_defects(feeds[str(feed)].name, str(delivery_id))
        shapes = kept.select("row_number", "column", shape="masked").unique(["row_number", "column"], keep="first")
        parts.append(rows.join(shapes, on=["row_number", "column"], how="left").with_columns(what="reason"))
    return _shaped(parts)


def _of_checks(home: DataHome, deliveries: pl.DataFrame, results: pl.DataFrame, month: date) -> pl.DataFrame:
    """Rows of failed checks: they were accepted, so there is no shape to show."""
    failed = results.filter((pl.col("month") == month) & (pl.col("state") == "failed")).select("check_id").unique()
    rows = pl.read_parquet(home.reference / "check_failing_row.parquet").join(failed, on="check_id", how="semi")
    own = rows.join(deliveries.select("delivery_id"), on="delivery_id", how="semi")
    named = _first(own, "check_id").rename({"feed_or_table": "feed", "check_id": "what"})
    return _shaped([named.with_columns(_nothing("column"), _nothing("shape"))])


def _nothing(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def _of_contradictions(home: DataHome, deliveries: pl.DataFrame, month: date) -> pl.DataFrame:
    found = read_published(home, "contradiction").filter((pl.col("known_from") <= month) & (pl.col("known_to") > month))
    rows = found.select(
        delivery_id="delivery_b",
        row_number="row_b",
        feed="source_b",
        what=pl.concat_str("source_b", pl.lit("."), "contradiction"),
    )
    own = rows.join(deliveries.select("delivery_id"), on="delivery_id", how="semi").unique()
    return _shaped([_first(own, "what").with_columns(_nothing("column"), _nothing("shape"))])
