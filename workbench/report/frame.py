"""The words around a report that are not of its content.

Belongs here: contents, pages, what more there is. Does not belong here: words of one report.
"""

from __future__ import annotations

from datetime import date, timedelta

from models.labels import label, load_labels

NAMES = ("contents", "skip", "values", "nothing", "term", "meaning", "sentence", "sheet_notes")
WITH_PLACES = ("page", "more")


def frame_words(lang: str) -> dict[str, str]:
    """The words by name; ``page`` and ``more`` keep their places open."""
    known = load_labels()
    words = {name: label(f"report.{name}", lang) for name in NAMES}
    for name in WITH_PLACES:
        text = known[f"report.{name}"]
        words[name] = text.zh if lang == "zh" else text.en
    return words


def month_name(month: date, lang: str) -> str:
    """The month as a sentence says it: 2024年6月, June 2024."""
    name = label(f"report.month_name.m{month.month}", lang)
    return label("report.month", lang, year=month.year, name=name)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)
