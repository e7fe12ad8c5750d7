"""The bulletin put together: what is read first, and what stands behind it.

Belongs here: the order of parts. Does not belong here: any counting, any drawing.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.codes import city_code
from models.labels import label
from models.policy import parameter_value
from models.statistics import load_figures
from workbench.bulletin import catalogue
from workbench.bulletin.figures import BulletinFigures
from workbench.bulletin.main_points import compared, main_points, verdict
from workbench.bulletin.plots import funnel_plot, history_plot, map_plot
from workbench.bulletin.quality import DataQuality
from workbench.bulletin.tables import alert_table, area_table, layer_table, overview_table, part_tables
from workbench.bulletin.words import Words
from workbench.report.compose import compose
from workbench.report.document import Card, Document, Pair, Part, Sentence, Terms, Tone
from workbench.report.frame import frame_words
from workbench.statistics_blocks import title_of


def bulletin(
    figures: pl.DataFrame,
    scores: pl.DataFrame,
    deliveries: pl.DataFrame,
    comparisons: pl.DataFrame,
    outliers: pl.DataFrame,
    month: date,
    lang: str,
    *,
    made_on: date,
    limit: int | None = None,
) -> Document:
    """The bulletin of ``month`` from the published tables of the statistics, scorecards and deliveries.

    ``limit``: counts below it are hidden; default: the parameter ``small_count_limit`` of the month; 0 hides nothing.
    """
    month = month.replace(day=1)
    if limit is None:
        limit = int(parameter_value("small_count_limit", city_code()[:6], month))
    known = BulletinFigures(figures, month, limit)
    quality = DataQuality.of(scores, deliveries, comparisons, outliers, month)
    words = Words(month, lang, frozenset(known.areas("county") | known.areas("township")))
    day = f"{made_on:%Y-%m-%d}"
    return Document(
        name=label("bulletin.file", lang, month=f"{month:%Y%m}"),
        month=month,
        lang=lang,
        title=label("bulletin.title", lang, month=words.month, city=words.city.name),
        subtitle=label("bulletin.subtitle", lang, month=words.month, day=day),
        verdict=verdict(known, words),
        cards=_cards(known, words),
        parts=tuple(_parts(known, quality, words, limit)),
        footer=label("bulletin.footer", lang),
        made_on=made_on,
        words=frame_words(lang),
    )


def _cards(figures: BulletinFigures, words: Words) -> tuple[Card, ...]:
    lang = words.lang
    beside: dict[str, Sentence | None] = {
        name: _change(figures, name, lang) for name in ("register_persons", "payment_amount", "alerts_listed")
    }
    share, in_time = figures("overdue_rate"), figures("in_time_rate")
    beside["alerts_overdue"] = compose("bulletin.beside.share", lang, share=share) if share.is_known else None
    beside["alerts_answered"] = compose("bulletin.beside.in_time", lang, share=in_time) if in_time.is_known else None
    beside["elder_visit_rate"] = compose("bulletin.beside.of_elders", lang, count=figures("elders_to_visit"))
    tones: dict[str, Tone] = {"alerts_overdue": "bad" if figures("alerts_overdue").value else "good"}
    return tuple(
        Card(label(f"bulletin.card.{name}", lang), figures(name), line, tones.get(name, ""))
        for name, line in beside.items()
    )


def _change(figures: BulletinFigures, name: str, lang: str) -> Sentence | None:
    told = compared("bulletin.beside", figures(name), figures(name, back=1), lang)
    return told[0] if told else None


def _parts(figures: BulletinFigures, quality: DataQuality, words: Words, limit: int) -> list[Part]:
    """Points and plots are the two pages a leader reads; tables follow."""
    lang = words.lang

    def part(key: str, *blocks: object, note: str = "", on_new_page: bool = False) -> Part:
        title = label(f"bulletin.part.{key}", lang)
        return Part(key, title, tuple(blocks), note, on_new_page)  # type: ignore[arg-type]

    alerts = Pair((history_plot(figures, catalogue.ALERT_LINES, "alerts", words), funnel_plot(figures, words)))
    maps = Pair(tuple(map_plot(figures, name, words) for name in catalogue.MAPS))
    note = label("report.hidden_key", lang, limit=limit) if limit else ""
    register = history_plot(figures, catalogue.REGISTER_LINES, "register", words)
    return [
        part("points", *main_points(figures, quality, words)),
        part("layers", Pair((register, layer_table(figures, words))), note=note, on_new_page=True),
        part("alerts", alerts, maps),
        part("areas", area_table(figures, words), note=note, on_new_page=True),
        part("details", alert_table(figures, words), *part_tables(figures, words)),
        part("overview", overview_table(figures, words)),
        part(
            "quality",
            quality.feed_table(words),
            quality.check_table(words),
            note=label("bulletin.note.incomplete", lang),
        ),
        part("definitions", _definitions(words, limit)),
    ]


def _definitions(words: Words, limit: int) -> Terms:
    """What every figure counts, and what signs stand for."""
    lang = words.lang
    items = [
        (label("bulletin.term.hidden", lang), label("bulletin.term.hidden_text", lang, limit=limit)),
        (label("bulletin.term.unknown", lang), label("bulletin.term.unknown_text", lang)),
        (label("bulletin.term.map", lang), label("bulletin.term.map_text", lang)),
    ]
    items += [
        (title_of(figure, lang), figure.definition_zh if lang == "zh" else figure.definition_en)
        for figure in load_figures().values()
    ]
    return Terms(tuple(items))
