"""A number that a report prints: where it comes from, and how it is shown.

Belongs here: the figure and its words. Every printed number of a report is one of these, so that all forms of the
report say the same and an independent query can find each again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from models.labels import LabelError, label

UNKNOWN = "—"
_TENTH, _HUNDREDTH, _WHOLE = Decimal("0.1"), Decimal("0.01"), Decimal(1)
# Below this a share that is not nothing would be shown as nothing.
_LEAST_SHARE = Decimal("0.0005")


@dataclass(frozen=True)
class Figure:
    """One number.

    ``table`` is the published table that it is read from, ``where`` the columns that find its row, ``column`` the
    column with the value. A derived figure has no table; ``formula`` names the figures it is made of.
    """

    id: str
    value: Decimal | None
    unit: str
    table: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    column: str = "value"
    formula: tuple[str, ...] = ()
    hidden: str = ""
    """Why it is not shown: ``small`` (below the limit), ``rest`` (would give a small one away); empty: it is shown."""
    limit: int = 0
    is_complete: bool = True
    """False where the data it rests on did not fully come in."""

    @property
    def is_known(self) -> bool:
        """Whether there is a number to be shown."""
        return self.value is not None and not self.hidden

    def shown(self, lang: str) -> str:
        """The number as a table shows it."""
        if self.hidden:
            return f"<{self.limit}" if self.hidden == "small" else "*"
        if self.value is None:
            return UNKNOWN
        if self.unit == "points":
            return label("report.points", lang, number=number_text(self.value * 100, "per_thousand"))
        return number_text(self.value, self.unit)

    def phrase(self, noun: str, lang: str) -> str:
        """The number with its noun as a sentence says it: 1 household, 12 households, fewer than 5 households.

        The noun ``bare`` stands for none: fewer than 5, none.
        """
        if self.hidden == "small":
            kind = "fewer"
        elif self.hidden:
            kind = "some"
        elif self.value is None:
            kind = "unknown_number"
        else:
            kind = "" if self.value else "zero"
        if noun == "bare":
            return label(f"report.bare.{kind}", lang, limit=self.limit) if kind else self.shown(lang)
        if kind:
            return label(f"report.{kind}", lang, limit=self.limit, noun=_noun(noun, lang, many=True))
        return label(
            "report.count", lang, number=self.shown(lang), noun=_noun(noun, lang, many=abs(self.value or 0) != 1)
        )


def number_text(value: Decimal, unit: str) -> str:
    """A number as people write it: shares in per cent, money to the fen where there are any, all others whole."""
    if unit == "ratio":
        if 0 < value < _LEAST_SHARE:
            return "<0.1%"
        return f"{(value * 100).quantize(_TENTH, ROUND_HALF_UP):,f}%"
    if unit in ("per_thousand", "score"):
        return f"{value.quantize(_TENTH, ROUND_HALF_UP):,f}"
    step = _HUNDREDTH if unit == "yuan" and value != value.to_integral_value() else _WHOLE
    return f"{value.quantize(step, ROUND_HALF_UP):,f}"


def difference(now: Figure, before: Figure) -> Figure:
    """How much more than before; hidden where one of the two is, unknown where one is."""
    known = now.value is not None and before.value is not None
    value = now.value - before.value if now.value is not None and before.value is not None else None
    hidden = "rest" if now.hidden or before.hidden else ""
    unit = "points" if now.unit == "ratio" else now.unit
    shown = Figure(
        id=f"{now.id}-minus-{before.id}", value=value, unit=unit, formula=("minus", now.id, before.id), hidden=hidden
    )
    return replace(shown, is_complete=known and now.is_complete and before.is_complete)


def magnitude(figure: Figure) -> Figure:
    """The same change without its sign, for a sentence that says up or down."""
    value = None if figure.value is None else abs(figure.value)
    return replace(figure, id=f"{figure.id}-size", value=value, formula=("size", figure.id))


def _noun(noun: str, lang: str, *, many: bool) -> str:
    try:
        return label(f"report.noun.{noun}.{'many' if many else 'one'}", lang)
    except LabelError:
        return label(f"report.noun.{noun}", lang)
