"""The monthly data-quality report: one self-contained page and a workbook with every table of it.

Belongs here: what the page shows first, how it is rendered and written. Does not belong here: the figures
(``quality_figures``) and judging data (``expectations``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from models.calendar import BUREAU_ZONE
from models.contract import Feed, load_feeds
from models.labels import label
from workbench.pages import render_page, style
from workbench.quality_figures import QualityMonth
from workbench.quality_table import CLASSES, DIMENSIONS, STATES, Table, percent, words
from workbench.quality_workbook import write_workbook

# Row numbers printed for one check and file; the workbook has the rest.
SHOWN_ROWS = 20
QUARANTINE_SCHEMA = {"delivery_id": pl.String, "row_number": pl.Int64, "reason": pl.String}


@dataclass(frozen=True)
class Figure:
    """One large number of the first screen; ``tone`` is good, caution, bad or empty."""

    title: str
    value: str
    of: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Summary:
    """What the page says first, and what it shows feed by feed."""

    verdict: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    grid: tuple[tuple[str, tuple[tuple[tuple[str, int, float], ...], ...]], ...]
    balance: str
    tables: tuple[tuple[str, Table], ...]
    drill: tuple[tuple[str, Mapping[str, Any]], ...]


def write_quality_report(
    month: str,
    deliveries: pl.DataFrame,
    check_results: pl.DataFrame,
    checks: pl.DataFrame,
    failing_rows: pl.DataFrame,
    directory: Path,
    lang: str = "zh",
    *,
    as_of: datetime,
    quarantined_rows: pl.DataFrame | None = None,
    feeds: Mapping[str, Feed] | None = None,
) -> tuple[Path, Path]:
    """Write ``data_quality_<month>_<lang>.html`` and ``.xlsx`` for ``month`` (YYYY-MM); returns both paths.

    ``deliveries`` is the ledger as of ``as_of``; ``check_results``, ``checks`` and ``failing_rows`` are what
    ``expectations`` writes beside the reference tables; ``quarantined_rows``: delivery_id, row_number, reason.
    """
    quality = QualityMonth(
        month=month,
        lang=lang,
        feeds=feeds or load_feeds(),
        deliveries=deliveries,
        results=check_results,
        checks=checks,
        failing_rows=failing_rows,
        quarantined=pl.DataFrame(schema=QUARANTINE_SCHEMA) if quarantined_rows is None else quarantined_rows,
    )
    directory.mkdir(parents=True, exist_ok=True)
    page, book = (directory / f"data_quality_{month}_{lang}.{suffix}" for suffix in ("html", "xlsx"))
    aside = page.with_name(f".{page.name}.part")
    aside.write_text(_render(quality, as_of), encoding="utf-8")
    aside.replace(page)
    write_workbook(book, quality, _sheets(quality))
    return page, book


def _sheets(quality: QualityMonth) -> list[Table]:
    return [
        quality.grid,
        quality.actions,
        quality.by_feed,
        quality.worst,
        quality.quarantine,
        quality.reconciliation,
        quality.failing,
        quality.quarantined_rows,
        quality.all_results,
        quality.catalogue,
    ]


def _render(quality: QualityMonth, as_of: datetime) -> str:
    year, number = quality.month.split("-")
    return render_page(
        "quality_report.html.j2",
        q=quality,
        s=summarise(quality),
        t=quality.text,
        w=partial(_words, quality.lang),
        percent=percent,
        lang=quality.lang,
        css=style("quality_report.css"),
        classes=CLASSES,
        month_text=label("quality.month", quality.lang, year=year, month=int(number)),
        as_of=(as_of.astimezone(BUREAU_ZONE) if as_of.tzinfo else as_of).strftime("%Y-%m-%d %H:%M"),
    )


def _words(lang: str, group: str, code: str) -> str:
    return words(group, code, lang)


def summarise(quality: QualityMonth) -> Summary:
    """Verdict, sentences and figures of the first screen, and the parts shown feed by feed."""
    failed = dict(quality.failed.group_by("class").len().iter_rows())
    mandatory, verifying = failed.get("mandatory", 0), failed.get("verifying", 0)
    not_run = quality.judged.filter(pl.col("state") == "could_not_run").height
    off = sum(1 for row in quality.reconciliation.rows if row[quality.reconciliation.columns.index("difference")])
    verdict = "bad" if mandatory or off else "caution" if verifying or not_run else "good"
    return Summary(
        verdict=verdict,
        sentences=tuple(_sentences(quality, mandatory, verifying, not_run)),
        figures=tuple(_figures(quality, mandatory, verifying, off)),
        grid=_grid(quality),
        balance=_rows_sentence(quality) + " · " + _balance_sentence(quality, off),
        tables=tuple(_published(quality)),
        drill=tuple(_drill(quality)),
    )


def _sentences(quality: QualityMonth, mandatory: int, verifying: int, not_run: int) -> Iterable[str]:
    statuses = dict(quality.own.group_by("status").len().iter_rows())
    counts = {name: statuses.get(name, 0) for name in ("accepted", "held", "rejected", "duplicate")}
    yield quality.text("summary.files", files=quality.own.height, **counts)
    yield _rows_sentence(quality)
    if held := quality.own.filter(pl.col("status") == "held")["rows_data"].sum():
        yield quality.text("summary.held_rows", count=f"{held:,}")
    yield quality.text("summary.mandatory", count=mandatory)
    yield quality.text("summary.verifying", count=verifying)
    if not_run:
        yield quality.text("summary.not_run", count=not_run)


def _rows_sentence(quality: QualityMonth) -> str:
    """Rows of the accepted files; those of held ones are in no lake and are named apart."""
    taken = quality.own.filter(pl.col("status") == "accepted")
    data, got, quarantined = taken.select(pl.col("rows_data", "rows_accepted", "rows_quarantined").sum()).row(0)
    key = "summary.rows" if data == got + quarantined else "summary.rows_off"
    return quality.text(key, data=f"{data:,}", got=f"{got:,}", quarantined=f"{quarantined:,}")


def _balance_sentence(quality: QualityMonth, off: int) -> str:
    return quality.text("summary.unbalanced", count=off) if off else quality.text("summary.balanced")


def _figures(quality: QualityMonth, mandatory: int, verifying: int, off: int) -> Iterable[Figure]:
    arrived = quality.judged.filter(pl.col("kind") == "arrived")
    here, due = (arrived["state"] == "passed").sum(), (arrived["state"] != "not_applicable").sum()
    yield Figure(quality.text("figure.feeds"), str(here), str(due), "good" if here == due else "bad")
    punctual = quality.judged.filter((pl.col("kind") == "on_time") & (pl.col("state") != "not_applicable"))
    on_time = (punctual["state"] == "passed").sum()
    tone = "good" if on_time == punctual.height else "caution"
    yield Figure(quality.text("figure.on_time"), str(on_time), str(punctual.height), tone)
    table = quality.by_feed
    data, got = (sum(row[table.columns.index(name)] for row in table.rows) for name in ("rows_data", "rows_accepted"))
    yield Figure(quality.text("figure.accepted"), percent(got / data) if data else "–")
    yield Figure(quality.text("figure.mandatory"), str(mandatory), tone="bad" if mandatory else "good")
    yield Figure(quality.text("figure.verifying"), str(verifying), tone="caution" if verifying else "good")
    balance = quality.text("figure.unbalanced" if off else "figure.balanced")
    yield Figure(quality.text("figure.balance"), balance, tone="bad" if off else "good")


def _grid(quality: QualityMonth) -> tuple[tuple[str, tuple[tuple[tuple[str, int, float], ...], ...]], ...]:
    """For each dimension and class: state, count, width of its part of the bar in per cent."""
    cells = {(row[0], row[1]): row[2:] for row in quality.grid.rows}
    return tuple((dimension, tuple(_shares(cells[(dimension, kind)]) for kind in CLASSES)) for dimension in DIMENSIONS)


def _shares(counts: tuple[int, ...]) -> tuple[tuple[str, int, float], ...]:
    total = sum(counts) or 1
    return tuple((state, count, round(100 * count / total, 2)) for state, count in zip(STATES, counts, strict=True))


def _published(quality: QualityMonth) -> Iterable[tuple[str, Table]]:
    """Results of the published tables, table by table."""
    names = [name for name in quality.judged["feed_or_table"].unique().sort() if name not in quality.feeds]
    for name in names:
        yield name, quality.all_results.where("feed_or_table", name)


def _drill(quality: QualityMonth) -> Iterable[tuple[str, Mapping[str, Any]]]:
    counted = {row[:-1]: row[-1] for row in quality.judged.group_by("feed_or_table", "state").len().iter_rows()}
    for name in quality.feeds:
        yield (
            name,
            {
                "states": [(state, counted.get((name, state), 0)) for state in STATES],
                "reconciliation": quality.reconciliation.where("feed", name),
                "worst": quality.worst.where("feed_or_table", name),
                "quarantine": quality.quarantine.where("feed", name),
                "failing": tuple(_failing(quality.failing.where("feed_or_table", name))),
            },
        )


def _failing(table: Table) -> Iterable[tuple[str, str, str, int]]:
    """Row numbers of each check and file in one line, and how many more there are."""
    lines: dict[tuple[str, str], list[int]] = {}
    for _, _, check, file, row_number in table.rows:
        lines.setdefault((check, file), []).append(row_number)
    for (check, file), numbers in lines.items():
        shown = ", ".join(str(number) for number in sorted(numbers)[:SHOWN_ROWS])
        yield check, file, shown, max(0, len(numbers) - SHOWN_ROWS)
