"""The tables of the report on data quality.

Belongs here: rows and columns. Does not belong here: counting (``counts``), how they look (``workbench.report``).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from models.calendar import next_month
from models.labels import LabelError, label
from models.quality.vocabulary import CLASSES, DIMENSIONS, STATES
from workbench.data_quality.counts import Counts
from workbench.report.document import CellValue, Column, Row, StateGrid, Table, Tone
from workbench.report.frame import month_before

HISTORY_MONTHS = 12
SHOWN_FAILED, SHOWN_ROWS = 30, 20
# The shape of a whole row is cut: who mends it looks into the file.
SHAPE_LENGTH = 90
SUMS = (
    "data_row_count",
    "quarantined_row_count",
    "mandatory_failed_count",
    "verifying_failed_count",
    "unexplained_count",
    "waived_count",
    "contradiction_count",
)
SCORES = (
    "score",
    "score_before",
    "score_mean_24",
    "late_days",
    "data_row_count",
    "quarantined_row_count",
    "accepted_ratio",
    "nulled_cell_count",
    "failed_count",
    "waived_count",
    "contradiction_count",
)
TONES: dict[str, Tone] = {"A": "good", "B": "", "C": "caution", "D": "bad", "E": "bad"}


def grid(counts: Counts) -> StateGrid:
    """Counts by dimension, class and state; every combination has its cell, an empty one too."""
    states = [(state, label(f"check_state.{state}", counts.lang)) for state in STATES]
    rows, lines = [], []
    for dimension in DIMENSIONS:
        cells = []
        for kind in CLASSES:
            where = {"dimension": dimension, "check_class": kind}
            cell = tuple((state, word, counts.checks(**where, state=state)) for state, word in states)
            cells.append(cell)
            title = label(f"quality.class.{kind}", counts.lang)
            lines.append(Row((label(f"quality.dimension.{dimension}", counts.lang), title, *(one[2] for one in cell))))
        rows.append((label(f"quality.dimension.{dimension}", counts.lang), tuple(cells)))
    columns = [_column("dimension", counts), _column("class", counts)]
    columns += [Column(word, "number") for _, word in states]
    table = Table("grid", counts.text("table.grid"), tuple(columns), tuple(lines))
    titles = tuple(label(f"quality.class.{kind}", counts.lang) for kind in CLASSES)
    return StateGrid(table, titles, tuple(rows), label("quality.no_check", counts.lang))


def department_table(counts: Counts) -> Table:
    """What each department sent, and what is wrong with it."""
    rows = []
    for department in counts.scores["department"].unique().sort():
        where = {"department": department}
        feeds = (
            counts.feeds("due", **where, is_expected="true"),
            counts.feeds("arrived", **where, is_arrived="true"),
            counts.punctual_feeds(department),
        )
        sums = tuple(counts.total(column, **where) for column in SUMS)
        bad = counts.total("mandatory_failed_count", **where).value
        name = counts.word("department", department)
        rows.append(Row((name, *feeds, counts.accepted_share(**where), *sums), tone="bad" if bad else ""))
    names = ("feeds_due", "arrived", "on_time", "accepted_ratio", *SUMS)
    columns = (_column("department", counts), *(_column(name, counts, "number") for name in names))
    return Table("department", counts.text("table.department"), columns, tuple(rows))


def feed_table(counts: Counts) -> Table:
    """The scorecard of each feed."""
    rows = []
    for row in counts.scores.iter_rows(named=True):
        figures = tuple(counts.score(row["feed"], column, row[column]) for column in SCORES)
        department = counts.word("department", row["department"])
        cells = (counts.feed_title(row["feed"]), department, row["grade"] or counts.text("no_grade"), *figures)
        rows.append(Row(cells, tone=TONES.get(row["grade"] or "", "")))
    columns = [_column("feed", counts), _column("department", counts), _column("grade", counts, "state", 8)]
    columns += [_column(name, counts, "number") for name in SCORES]
    return Table("feed", counts.text("table.feed"), tuple(columns), tuple(rows))


def history_table(counts: Counts) -> Table:
    """The grades of the last months, feed by feed."""
    months: list[date] = [counts.month]
    for _ in range(HISTORY_MONTHS - 1):
        months.insert(0, month_before(months[0]))
    known = counts.tables.scores.filter(pl.col("month").is_in(months))
    grades = {(feed, month): grade for feed, month, grade in known.select("feed", "month", "grade").iter_rows()}
    shown = [month for month in months if any(month == when for _, when in grades)]
    rows = [
        Row((counts.feed_title(feed), *(grades.get((feed, month)) or counts.text("no_grade") for month in shown)))
        for feed in counts.scores["feed"]
    ]
    columns = (_column("feed", counts), *(Column(f"{month:%y-%m}", "text", 8) for month in shown))
    return Table("history", counts.text("table.history"), columns, tuple(rows))


def failed_table(counts: Counts, feed: str | None = None) -> Table:
    """Failed checks of all feeds or of one, the worst first."""
    failed = counts.failed if feed is None else counts.failed.filter(pl.col("feed_owner") == feed)
    rows = [_failed_row(counts, row) for row in failed.iter_rows(named=True)]
    columns = (
        _column("check", counts, width=36),
        _column("feed", counts, width=22),
        _column("class", counts),
        _column("dimension", counts),
        *(_column(name, counts, "number") for name in ("numerator", "denominator", "threshold")),
        _column("waiver", counts),
        _column("check_id", counts, "code", 40),
    )
    title = counts.text("table.worst") if feed is None else counts.text("table.failed", feed=counts.feed_title(feed))
    key = "worst" if feed is None else f"failed_{feed}"
    return Table(key, title, columns, tuple(rows), empty=label("report.nothing", counts.lang), shown=SHOWN_FAILED)


def _failed_row(counts: Counts, row: dict[str, Any]) -> Row:
    cells: tuple[CellValue, ...] = (
        counts.check_title(row["check_id"]),
        counts.feed_title(row["feed"]),
        label(f"quality.class.{row['check_class']}", counts.lang),
        label(f"quality.dimension.{row['dimension']}", counts.lang),
        *(counts.result(row, column) for column in ("numerator", "denominator", "threshold")),
        row["waiver_id"] or row["explanation_id"] or "",
        row["check_id"],
    )
    return Row(cells, tone="bad" if row["check_class"] == "mandatory" and not row["waiver_id"] else "")


def action_table(counts: Counts) -> Table:
    """Files of the month that did not enter, and feeds of which none came, each with its next step."""
    month = f"{counts.month:%Y-%m}"
    # A file that states no month stands with those that came in the month after it.
    came_in = pl.col("received_at").cast(pl.String).str.slice(0, 7)
    stateless = pl.col("period").is_null() & (came_in == f"{next_month(counts.month):%Y-%m}")
    own = counts.tables.deliveries.filter((pl.col("period") == month) | stateless)
    rows = []
    turned_away = own.filter(pl.col("status") != "accepted").sort("feed", "file_name", "delivery_id")
    for row in turned_away.iter_rows(named=True):
        reason = str(row["reason"] or row["status"])
        status = counts.word("delivery_status", row["status"])
        told = (counts.feed_title(row["feed"]), row["file_name"], status, counts.word("quality.reason", reason))
        rows.append(Row((*told, _step(_settled(row, own) or reason.partition(":")[0], counts.lang))))
    missing = counts.scores.filter(pl.col("is_expected") & ~pl.col("is_arrived"))
    for feed in missing["feed"]:
        told = (counts.feed_title(feed), "", label("quality.not_received", counts.lang), "")
        rows.append(Row((*told, _step("not_received", counts.lang)), tone="bad"))
    widths = {"file": 36.0, "action": 50.0, "reason": 24.0}
    names = ("feed", "file", "status", "reason", "action")
    columns = tuple(_column(name, counts, width=widths.get(name, 18)) for name in names)
    return Table(
        "action", counts.text("table.action"), columns, tuple(rows), empty=label("report.nothing", counts.lang)
    )


def _settled(row: dict[str, Any], own: pl.DataFrame) -> str:
    """What to do where another file of the same feed and district was accepted later; empty where none was."""
    mine = (pl.col("feed") == row["feed"]) & pl.col("division").eq_missing(row["division"])
    later = own.filter(mine, pl.col("status") == "accepted", pl.col("received_at") >= row["received_at"])
    if row["status"] == "duplicate" or later.is_empty():
        return ""
    return "in_force" if row["status"] == "held" else "replaced"


def _step(reason: str, lang: str) -> str:
    try:
        return label(f"quality.action.{reason}", lang)
    except LabelError:
        return label("quality.action.other", lang)


def defect_table(counts: Counts, feed: str) -> Table:
    """Rows set aside and cells emptied of a feed, by reason."""
    here = counts.tables.defects.filter(pl.col("month") == counts.month, pl.col("feed") == feed)
    most_first = here.sort("row_count", "reason", "column_name", "treatment", descending=[True, False, False, False])
    rows = [
        Row(
            (
                counts.word("quality.reason", row["reason"]),
                counts.word("quality.kind", row["treatment"]),
                row["column_name"],
                counts.defect(row),
            )
        )
        for row in most_first.iter_rows(named=True)
    ]
    columns = (
        _column("reason", counts, width=30),
        _column("treatment", counts),
        _column("field", counts, "code", 20),
        _column("row_count", counts, "number"),
    )
    return Table(f"defect_{feed}", counts.text("table.defect", feed=counts.feed_title(feed)), columns, tuple(rows))


def row_table(counts: Counts, feed: str) -> Table:
    """Faulty rows of a feed: file, row number, what is wrong, and their shape; never a value."""
    here = counts.tables.rows.filter(pl.col("feed") == feed).sort("file_name", "row_number", "check_id", "reason")
    rows = [
        Row((row["file_name"], str(row["row_number"]), _wrong(counts, row), _cut(row["shape"] or "")))
        for row in here.iter_rows(named=True)
    ]
    columns = (
        _column("file", counts, width=32),
        _column("row", counts, width=9),
        _column("why", counts, width=34),
        _column("shape", counts, "code", 50),
    )
    title = counts.text("table.row", feed=counts.feed_title(feed))
    return Table(f"row_{feed}", title, columns, tuple(rows), note=counts.text("note.shape"), shown=SHOWN_ROWS)


def _wrong(counts: Counts, row: dict[str, Any]) -> str:
    if row["check_id"]:
        return counts.check_title(row["check_id"])
    field = f"{row['column']}: " if row["column"] else ""
    return field + counts.word("quality.reason", row["reason"])


def _cut(text: str) -> str:
    return text if len(text) <= SHAPE_LENGTH else text[: SHAPE_LENGTH - 1] + "…"


def reconciliation_table(counts: Counts) -> Table:
    """Each file of the month: rows against ledger and lake."""
    names = dict(counts.tables.deliveries.select("delivery_id", "file_name").iter_rows())
    numbers = (
        "data_row_count",
        "accepted_row_count",
        "quarantined_row_count",
        "unaccounted_row_count",
        "lake_row_count",
    )
    rows = []
    for row in counts.reconciled.iter_rows(named=True):
        told = (names.get(row["delivery_id"]) or row["delivery_id"], counts.feed_title(row["feed"]))
        figures = tuple(counts.delivery(row, column) for column in numbers)
        tone: Tone = "bad" if row["unaccounted_row_count"] or row["lake_difference_count"] else ""
        rows.append(Row((*told, counts.word("delivery_status", row["status"]), *figures), tone=tone))
    titles = ("data_row_count", "accepted_row_count", "quarantined_row_count", "unaccounted", "lake")
    columns = (
        _column("file", counts, width=36),
        _column("feed", counts, width=20),
        _column("status", counts),
        *(_column(name, counts, "number") for name in titles),
    )
    note = counts.text("note.reconciliation")
    return Table("reconciliation", counts.text("table.reconciliation"), columns, tuple(rows), note=note)


def result_table(counts: Counts) -> Table:
    """Every result of the month; in workbook and data only."""
    rows = [
        Row(
            (
                row["check_id"],
                counts.check_title(row["check_id"]),
                counts.feed_title(row["feed"]),
                label(f"quality.class.{row['check_class']}", counts.lang),
                label(f"quality.dimension.{row['dimension']}", counts.lang),
                label(f"check_state.{row['state']}", counts.lang),
                *(counts.result(row, column) for column in ("numerator", "denominator", "threshold")),
            )
        )
        for row in counts.results.sort("feed", "check_id").iter_rows(named=True)
    ]
    columns = (
        _column("check_id", counts, "code", 44),
        _column("check", counts, width=36),
        _column("feed", counts, width=22),
        *(_column(name, counts) for name in ("class", "dimension", "state")),
        *(_column(name, counts, "number") for name in ("numerator", "denominator", "threshold")),
    )
    return Table("result", counts.text("table.result"), columns, tuple(rows), is_annex=True)


def published_table(counts: Counts) -> Table:
    """The checks of the published tables: what lists and figures themselves must hold to."""
    rows = []
    for row in counts.tables.of_tables.sort("checked_table", "check_id").iter_rows(named=True):
        told = (
            counts.check_title(row["check_id"]),
            counts.word("quality.table", row["checked_table"]),
            label(f"quality.class.{row['check_class']}", counts.lang),
            label(f"quality.dimension.{row['dimension']}", counts.lang),
            label(f"check_state.{row['state']}", counts.lang),
        )
        figures = tuple(counts.table_result(row, column) for column in ("numerator", "denominator", "threshold"))
        tone: Tone = "" if row["state"] in ("passed", "not_applicable") else "caution"
        rows.append(Row((*told, *figures, row["check_id"]), tone=tone))
    columns = (
        _column("check", counts, width=36),
        _column("table", counts, width=22),
        *(_column(name, counts) for name in ("class", "dimension", "state")),
        *(_column(name, counts, "number") for name in ("numerator", "denominator", "threshold")),
        _column("check_id", counts, "code", 40),
    )
    return Table("published", counts.text("table.published"), columns, tuple(rows), note=counts.text("note.published"))


def catalogue_table(counts: Counts) -> Table:
    """The catalogue of checks with the reason of each threshold; in workbook and data only."""
    rows = [
        Row(
            (
                row["check_id"],
                row[f"title_{counts.lang}"],
                counts.feed_title(row["feed_or_table"]),
                label(f"quality.class.{row['class']}", counts.lang),
                label(f"quality.dimension.{row['dimension']}", counts.lang),
                row["columns"] or "",
                f"{row['threshold']:g}",
                row[f"reason_{counts.lang}"],
                counts.word("department", row["owner"]),
            )
        )
        for row in counts.tables.checks.sort("feed_or_table", "check_id").iter_rows(named=True)
    ]
    columns = (
        _column("check_id", counts, "code", 44),
        _column("check", counts, width=36),
        _column("feed", counts, width=22),
        *(_column(name, counts) for name in ("class", "dimension")),
        _column("field", counts, "code", 24),
        _column("threshold", counts),
        _column("threshold_reason", counts, width=48),
        _column("owner", counts),
    )
    return Table("catalogue", counts.text("table.catalogue"), columns, tuple(rows), is_annex=True)


def _column(name: str, counts: Counts, kind: Any = "text", width: float = 16) -> Column:
    return Column(counts.text(f"column.{name}"), kind, width)
