"""Why an alert stands, as plain sentences with the value found and the line it crossed.

Belongs here: turning indicator hits into sentences and their numbers into words. Does not belong here: the
texts (``models/labels/reason.yaml``) and when an indicator fires (``dbt_project/models/monitoring``).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from models.labels import label, load_labels, places_of
from models.policy import load_indicators

_WHOLE = Decimal(1)
_TENTH = Decimal("0.1")


class Shown(Decimal):
    """A number that knows how a sentence shows it: ``yuan``, ``share`` (of one, as per cent), ``months``, ``kwh``."""

    lang = "zh"

    @classmethod
    def of(cls, value: float | Decimal, lang: str) -> Shown:
        shown = cls(str(value))
        shown.lang = lang
        return shown

    def __format__(self, spec: str, context: object = None, /) -> str:
        del context  # the signature is Decimal's
        if spec == "share":
            return f"{(self * 100).quantize(_WHOLE, ROUND_HALF_UP):f}%"
        step = _TENTH if spec == "kwh" else _WHOLE
        number = f"{self.quantize(step, ROUND_HALF_UP):,f}".removesuffix(".0")
        return label(f"shown.{spec}", self.lang, number=number)


def sentence(indicator: str, value: float | None, threshold: float | None, name: str | None, lang: str) -> str:
    """The sentence of an indicator; its title where a number that the sentence needs is unknown."""
    numbers = {"value": value, "threshold": threshold}
    needed = places_of(load_labels()[f"reason.{indicator}"].zh)
    if any(numbers[place] is None for place in needed & numbers.keys()):
        entry = load_indicators()[indicator]
        return entry.title_zh if lang == "zh" else entry.title_en
    shown = {place: Shown.of(number, lang) for place, number in numbers.items() if number is not None}
    text = label(f"reason.{indicator}", lang, name=name or label("shown.somebody", lang), **shown)
    return text[0].upper() + text[1:]


def reason_sentences(alerts: pl.DataFrame, hits: pl.DataFrame, people: pl.DataFrame, lang: str) -> pl.DataFrame:
    """One row per alert, reason and person it is about: alert_id, position, indicator, sentence, in order.

    ``alerts`` has alert_id, month, household_id and the list ``reasons``, strongest first; ``hits`` is
    ``indicator_hit``; ``people`` has person_key and the name to be shown. A reason without a hit is told without
    its numbers.
    """
    reasons = (
        alerts.select("alert_id", "month", "household_id", "reasons")
        .with_columns(position=pl.int_ranges(pl.col("reasons").list.len()))
        .explode("reasons", "position")
        .rename({"reasons": "indicator"})
        .filter(pl.col("indicator").is_not_null())
    )
    facts = hits.select(
        "month",
        "household_id",
        "indicator",
        "person_key",
        pl.col("value").cast(pl.Float64),
        pl.col("threshold").cast(pl.Float64),
    )
    told = reasons.join(facts, on=["month", "household_id", "indicator"], how="left").join(
        people.select("person_key", "name"), on="person_key", how="left"
    )
    return (
        told.join(_texts(told, lang), on=["indicator", "value", "threshold", "name"], how="left", nulls_equal=True)
        .select("alert_id", "position", "indicator", "sentence")
        .unique()
        .sort("alert_id", "position", "sentence")
    )


def _texts(told: pl.DataFrame, lang: str) -> pl.DataFrame:
    facts = told.select("indicator", "value", "threshold", "name").unique()
    texts = [sentence(item, value, line, name, lang) for item, value, line, name in facts.iter_rows()]
    return facts.with_columns(sentence=pl.Series(texts, dtype=pl.String))
