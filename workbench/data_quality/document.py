"""The report on data quality put together: the grid first, then departments, failed checks, feed by feed.

Belongs here: the order of parts. Does not belong here: any counting.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from models.labels import label
from models.quality.grade import load_grade
from workbench.data_quality.counts import Counts, QualityTables
from workbench.data_quality.tables import (
    action_table,
    catalogue_table,
    defect_table,
    department_table,
    failed_table,
    feed_table,
    grid,
    history_table,
    published_table,
    reconciliation_table,
    result_table,
    row_table,
)
from workbench.report.compose import compose
from workbench.report.document import Block, Card, Document, Fold, Part, Sentence, Terms, Tone
from workbench.report.frame import frame_words, month_name

DEFINITIONS = ("row", "cell", "state", "class", "dimension", "steady", "privacy")


def quality_report(tables: QualityTables, month: date, lang: str, *, made_on: date) -> Document:
    """The report of ``month``."""
    counts = Counts(tables, month.replace(day=1), lang)
    return Document(
        name=counts.text("file", month=f"{month:%Y%m}"),
        month=counts.month,
        lang=lang,
        title=counts.text("title", month=month_name(month, lang)),
        subtitle=counts.text("subtitle", day=f"{made_on:%Y-%m-%d}"),
        verdict=_verdict(counts),
        cards=tuple(_cards(counts)),
        parts=tuple(_parts(counts)),
        footer=counts.text("footer"),
        made_on=made_on,
        words=frame_words(lang),
    )


def _verdict(counts: Counts) -> Sentence:
    """Good where nothing failed, bad where something mandatory did or rows are unaccounted for."""
    failed, mandatory = counts.checks(state="failed"), counts.total("mandatory_failed_count")
    tone: Tone = "bad" if mandatory.value or counts.unaccounted().value else "caution" if failed.value else "good"
    places = {"checks": counts.checks(), "failed": failed, "mandatory": mandatory}
    return compose(f"quality_report.verdict.{tone}", counts.lang, tone, **places)


def _cards(counts: Counts) -> Iterator[Card]:
    def card(name: str, figure: object, beside: Sentence | None = None, tone: Tone = "") -> Card:
        return Card(counts.text(f"card.{name}"), figure, beside, tone)  # type: ignore[arg-type]

    def beside(name: str, figure: object) -> Sentence:
        return compose(f"quality_report.beside.{name}", counts.lang, count=figure)  # type: ignore[arg-type]

    due, arrived = (
        counts.feeds("due", is_expected="true"),
        counts.feeds("arrived", is_expected="true", is_arrived="true"),
    )
    yield card("arrived", arrived, beside("due", due), "good" if due.value == arrived.value else "bad")
    late, punctual = counts.feeds("late", is_on_time="false"), counts.feeds("on_time", is_on_time="true")
    judged = counts.judged_feeds()
    yield card("on_time", punctual, beside("judged", judged), "caution" if late.value else "good")
    yield card("accepted", counts.accepted_share(), beside("rows", counts.total("data_row_count")))
    mandatory, verifying = counts.total("mandatory_failed_count"), counts.total("verifying_failed_count")
    waived, unexplained = counts.total("waived_count"), counts.total("unexplained_count")
    yield card("mandatory", mandatory, beside("waived", waived), "bad" if mandatory.value else "good")
    yield card("verifying", verifying, beside("unexplained", unexplained), "caution" if verifying.value else "good")
    off, troubled = counts.unaccounted(), counts.table_checks(state="failed")
    tone: Tone = "bad" if off.value else "caution" if troubled.value else "good"
    yield card("unaccounted", off, beside("tables", troubled), tone)


def _parts(counts: Counts) -> Iterator[Part]:
    def part(key: str, *blocks: Block, note: str = "", on_new_page: bool = False) -> Part:
        return Part(key, counts.text(f"part.{key}"), tuple(blocks), note, on_new_page)

    yield part("grid", grid(counts), note=counts.text("note.grid"))
    yield part("department", department_table(counts))
    yield part("feed", feed_table(counts), history_table(counts), on_new_page=True)
    yield part("worst", failed_table(counts))
    yield part("published", published_table(counts))
    yield part("action", action_table(counts))
    yield part("drill", *_folds(counts))
    yield part("reconciliation", reconciliation_table(counts), result_table(counts), catalogue_table(counts))
    yield part("definition", _definitions(counts))


def _folds(counts: Counts) -> Iterator[Fold]:
    for row in counts.scores.iter_rows(named=True):
        feed = row["feed"]
        facts = counts.text(
            "facts",
            grade=row["grade"] or counts.text("no_grade"),
            failed=counts.score(feed, "failed_count", row["failed_count"]).shown(counts.lang),
            rows=counts.score(feed, "quarantined_row_count", row["quarantined_row_count"]).shown(counts.lang),
        )
        tone: Tone = "bad" if row["mandatory_failed_count"] else "caution" if row["failed_count"] else "good"
        made = (failed_table(counts, feed), defect_table(counts, feed), row_table(counts, feed))
        yield Fold(counts.feed_title(feed), facts, tone, tuple(table for table in made if table.rows))


def _definitions(counts: Counts) -> Terms:
    grade = load_grade(counts.month)
    items = [(counts.text("term.grade"), grade.formula_zh if counts.lang == "zh" else grade.formula_en)]
    for part in grade.parts:
        zh = counts.lang == "zh"
        items.append((part.title_zh if zh else part.title_en, part.reason_zh if zh else part.reason_en))
    for name in DEFINITIONS:
        text = label(f"quality.definition.{name}", counts.lang)
        term, _, meaning = text.partition("：" if counts.lang == "zh" else ":")
        items.append((term, meaning.strip()) if meaning else (counts.text("part.definition"), text))
    return Terms(tuple(items))
