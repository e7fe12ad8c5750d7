"""The city's summary of a month: how many alerts where, how urgent, whether they can be visited, why they stand.

Belongs here: the summary workbook and its sums. Does not belong here: statistics of the register (dbt) and
anything about a single household; there is none in it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.alert_life import load_life
from models.codes import Division, city_code, load_divisions
from models.contract import load_feeds
from models.labels import label
from models.policy import load_indicators, parameter_value
from models.policy.catalogue import LEVELS, SIDES
from workbench.recovery import write_overpaid_sheet
from workbench.rows import UNLOCATED, township_or_unlocated
from workbench.sheets import Book, month_text

# An alert in one of these states waits for nobody; any other past its due day is overdue.
DONE = ("visited", *load_life().ended_states())
HEADER_ROW = 2
LINE_HEIGHT = 20
_COUNTS = (*SIDES, *LEVELS, "alerts", "village_count", "capacity")
_LAST = ("overdue", "put_off")


def write_city_summary(
    alerts: pl.DataFrame,
    loads: pl.DataFrame,
    corrections: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    as_of: date,
    overpaid: pl.DataFrame | None = None,
) -> Path:
    """Write the summary of a month; returns its path. ``overpaid`` (the table ``overpayment``) adds a sheet.

    ``alerts`` has month, side, level, reasons, due_on, township_code and may have status; other months than
    ``month`` are left aside, of ``village_load`` and ``correction_request`` too. An alert that stands on keeps its due
    day, so what is overdue on ``as_of`` is there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    month = month.replace(day=1)
    path = directory / f"{label('summary.file', lang, month=f'{month:%Y%m}')}.xlsx"
    city = next(place.name for place in load_divisions() if place.code == city_code())
    title = label("summary.title", lang, month=month_text(month, lang), area=city)
    with Book(path, title, as_of) as book:
        _write_townships(book, township_counts(alerts, loads, month, as_of), title, lang, as_of)
        _write_reasons(book, reason_counts(alerts, month), title, lang)
        _write_corrections(book, correction_counts(corrections, month), title, lang)
        if overpaid is not None:
            write_overpaid_sheet(book, overpaid, month, title, lang)
    return path


def township_counts(alerts: pl.DataFrame, loads: pl.DataFrame, month: date, as_of: date) -> pl.DataFrame:
    """One row per township: counts by side and level, alerts, villages, capacity, overdue, put off; zeros included.

    Alerts whose township is not in the division list stand under ``UNLOCATED``, where there are any.
    """
    status = pl.col("status") if "status" in alerts.columns else pl.lit("new")
    placed = alerts.filter(pl.col("month") == month).with_columns(township_code=township_or_unlocated())
    counts = placed.group_by("township_code").agg(
        *[(pl.col("side") == side).sum().alias(side) for side in SIDES],
        *[(pl.col("level") == level).sum().alias(level) for level in LEVELS],
        alerts=pl.len(),
        overdue=((pl.col("due_on") < as_of) & ~status.is_in(DONE)).sum(),
    )
    waiting = (
        loads.filter(pl.col("month") == month)
        .with_columns(township_code=township_or_unlocated())
        .group_by("township_code")
        .agg(pl.col("put_off_count").sum().alias("put_off"))
    )
    counts = counts.join(waiting, on="township_code", how="full", coalesce=True)
    townships = _townships(month)
    if UNLOCATED in counts["township_code"]:
        nowhere = pl.DataFrame({"township_code": [UNLOCATED], "village_count": [0], "capacity": [0]})
        townships = pl.concat([townships, nowhere], how="diagonal_relaxed")
    numbers = [*_COUNTS, *_LAST]
    return townships.join(counts, on="township_code", how="left", maintain_order="left").with_columns(
        pl.col(numbers).fill_null(0).cast(pl.Int64)
    )


def reason_counts(alerts: pl.DataFrame, month: date) -> pl.DataFrame:
    """One row per side and indicator that is a reason this month, most frequent first, with its share."""
    this_month = alerts.filter(pl.col("month") == month)
    per_side = this_month.group_by("side").agg(total=pl.len())
    return (
        this_month.explode("reasons")
        .group_by("side", indicator="reasons")
        .agg(alerts=pl.len())
        .filter(pl.col("indicator").is_not_null())
        .join(per_side, on="side")
        .select("side", "indicator", "alerts", share=pl.col("alerts") / pl.col("total"))
        .sort(pl.col("side") != "need", -pl.col("alerts").cast(pl.Int64), "indicator")
    )


def correction_counts(corrections: pl.DataFrame, month: date) -> pl.DataFrame:
    """One row per department, feed, finding and reason of ``correction_request``: visits and delivered rows."""
    keys = ["department", "feed", "correction", "indicator"]
    return (
        corrections.filter(pl.col("month") == month)
        .group_by(keys)
        .agg(
            visits=pl.struct("visit_no", "visited_on").n_unique(),
            rows=pl.struct("delivery_id", "row_number").n_unique(),
        )
        .sort(keys, nulls_last=True)
    )


def _townships(month: date) -> pl.DataFrame:
    places = load_divisions()
    counties = {place.code: place.name for place in places if place.level == "county"}
    villages = pl.Series([place.parent_code for place in places if place.level == "village"]).value_counts()
    per_township = dict(villages.iter_rows())
    rows = [
        (
            counties[place.parent_code],
            place.name,
            place.short_code,
            per_township.get(place.code, 0),
            _capacity(place, per_township.get(place.code, 0), month),
        )
        for place in places
        if place.level == "township"
    ]
    schema = ["county", "township", "township_code", "village_count", "capacity"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _capacity(place: Division, village_count: int, month: date) -> int:
    workers = parameter_value("village_worker_count", place.code, month)
    return int(village_count * workers * parameter_value("visit_capacity", place.code, month))


def _write_townships(book: Book, counts: pl.DataFrame, title: str, lang: str, as_of: date) -> None:
    sheet = book.sheet(label("sheet.township", lang))
    headers = [label(f"summary.{key}", lang) for key in ("county", "township", "alerts")]
    headers += [label(f"level.{level}", lang) for level in LEVELS] + [label(f"side.{side}", lang) for side in SIDES]
    headers += [label(f"summary.{key}", lang) for key in ("village_count", "capacity", "load", *_LAST)]
    _write_head(book, sheet, title, label("summary.note", lang, day=as_of), headers)
    line = HEADER_ROW + 1
    named = counts.with_columns(
        pl.col("county").fill_null(label("list.unlocated", lang)),
        pl.col("township").fill_null(label("list.unlocated", lang)),
    )
    for (county,), rows in named.group_by("county", maintain_order=True):
        for row in rows.iter_rows(named=True):
            _write_line(book, sheet, line, row, total=False)
            line += 1
        if rows["township_code"][0] != UNLOCATED:
            subtotal = label("summary.subtotal", lang, county=county)
            _write_line(book, sheet, line, {"county": subtotal, "township": "", **_sums(rows)}, total=True)
            line += 1
    total = {"county": label("summary.total", lang), "township": "", **_sums(named)}
    _write_line(book, sheet, line, total, total=True)
    _lay_out(sheet, [16, 20, *[11] * (len(headers) - 2)])
    sheet.freeze_panes(HEADER_ROW + 1, 2)


def _sums(rows: pl.DataFrame) -> dict[str, Any]:
    return rows.select(pl.col(*_COUNTS, *_LAST).sum()).row(0, named=True)


def _write_line(book: Book, sheet: Any, line: int, row: dict[str, Any], total: bool) -> None:
    number, share = ("total", "total_share") if total else ("count", "share")
    sheet.set_row(line, LINE_HEIGHT)
    for column, key in enumerate(("county", "township")):
        sheet.write_string(line, column, row[key], book.style("total" if total else "text"))
    numbers = ("alerts", *LEVELS, *SIDES, "village_count", "capacity")
    for column, key in enumerate(numbers, start=2):
        style = f"level_{key}" if key in LEVELS and row[key] and not total else number
        sheet.write_number(line, column, row[key], book.style(style))
    load = len(numbers) + 2
    if row["capacity"]:
        sheet.write_number(line, load, row["alerts"] / row["capacity"], book.style(share))
    else:
        sheet.write_string(line, load, "—", book.style(share))
    for column, key in enumerate(_LAST, start=load + 1):
        sheet.write_number(line, column, row[key], book.style(number))


def _write_reasons(book: Book, counts: pl.DataFrame, title: str, lang: str) -> None:
    sheet = book.sheet(label("sheet.reason", lang))
    headers = [label("column.side", lang)]
    headers += [label(f"summary.{key}", lang) for key in ("indicator", "reason", "alerts", "share")]
    _write_head(book, sheet, title, "", headers)
    for line, row in enumerate(counts.iter_rows(named=True), start=HEADER_ROW + 1):
        sheet.set_row(line, LINE_HEIGHT)
        entry = load_indicators()[row["indicator"]]
        sheet.write_string(line, 0, label(f"side.{row['side']}", lang), book.style("text"))
        sheet.write_string(line, 1, row["indicator"], book.style("number"))
        sheet.write_string(line, 2, entry.title_zh if lang == "zh" else entry.title_en, book.style("text"))
        sheet.write_number(line, 3, row["alerts"], book.style("count"))
        sheet.write_number(line, 4, row["share"], book.style("share"))
    _lay_out(sheet, [14, 10, 44, 12, 14])
    sheet.freeze_panes(HEADER_ROW + 1, 0)


def _write_corrections(book: Book, counts: pl.DataFrame, title: str, lang: str) -> None:
    sheet = book.sheet(label("sheet.correction", lang))
    keys = ("department", "feed", "correction", "reason", "visits", "rows")
    note = label("summary.correction_note" if counts.height else "summary.no_correction", lang)
    _write_head(book, sheet, title, note, [label(f"summary.{key}", lang) for key in keys])
    for line, row in enumerate(counts.iter_rows(named=True), start=HEADER_ROW + 1):
        sheet.set_row(line, LINE_HEIGHT)
        for column, text in enumerate(_correction_texts(row, lang)):
            sheet.write_string(line, column, text, book.style("text"))
        sheet.write_number(line, 4, row["visits"], book.style("count"))
        sheet.write_number(line, 5, row["rows"], book.style("count"))
    _lay_out(sheet, [22, 24, 40, 36, 12, 14])
    sheet.freeze_panes(HEADER_ROW + 1, 0)


def _correction_texts(row: dict[str, Any], lang: str) -> tuple[str, str, str, str]:
    """Department, feed, what visits found, and the reason that rests on the rows."""
    feed = load_feeds()[row["feed"]]
    reason = load_indicators()[row["indicator"]] if row["indicator"] else None
    return (
        label(f"department.{row['department']}", lang),
        feed.title_zh if lang == "zh" else feed.title_en,
        label(f"correction.{row['correction']}", lang),
        "" if reason is None else reason.title_zh if lang == "zh" else reason.title_en,
    )


def _write_head(book: Book, sheet: Any, title: str, note: str, headers: list[str]) -> None:
    last = len(headers) - 1
    sheet.merge_range(0, 0, 0, last, title, book.style("title"))
    sheet.merge_range(1, 0, 1, last, note, book.style("line"))
    sheet.set_row(0, 28)
    sheet.set_row(1, 36 if note else 8)
    sheet.set_row(HEADER_ROW, 32)
    for column, header in enumerate(headers):
        sheet.write_string(HEADER_ROW, column, header, book.style("header"))


def _lay_out(sheet: Any, widths: list[int]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, HEADER_ROW)
