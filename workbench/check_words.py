"""A means check in words: amounts, months, places, verdicts, what is still to be verified.

Belongs here: what page and workbook say alike. Does not belong here: where it stands on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from models.codes import load_divisions
from models.labels import label, load_labels
from models.masking import mask_id
from workbench.check_answers import code_title, feed_title

Answer = Mapping[str, Any]
_CENT, _WHOLE = Decimal("0.01"), Decimal(1)
DASH = "—"
_AMOUNT = re.compile(r"-?\d+\.\d\d")


def word(key: str, lang: str, **places: object) -> str:
    """A text of the means check."""
    return label(f"check.{key}", lang, **places)


def yuan(value: Decimal | float | None) -> str:
    """An amount with its cents; a dash where there is none."""
    return DASH if value is None else f"{Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP):,}"


def short_yuan(value: Decimal | float | None) -> str:
    """An amount without cents where it has none."""
    return yuan(value).removesuffix(".00")


def month_word(month: date | None, lang: str) -> str:
    """A month as a person says it."""
    return DASH if month is None else label("list.month", lang, year=month.year, month=month.month)


def area_text(answer: Answer, lang: str) -> str:
    """Where the applicant lives, and whose lines that means."""
    names = _places()
    codes = (answer["township_code"], answer["village_code"])
    place = "".join(names.get(code, "") for code in codes if code) or DASH
    if not answer["area_type"]:
        return place
    return word("field.place_of", lang, place=place, area=label(f"area_type.{answer['area_type']}", lang))


@cache
def _places() -> dict[str, str]:
    return {division.short_code: division.name for division in load_divisions()}


def layer_text(layer: str | None, lang: str) -> str:
    """A layer by rule; none is no layer, not "not on the register"."""
    if layer in (None, "none"):
        return word("no_layer", lang)
    return label("rule_layer.unknown", lang) if layer == "unknown" else label(f"layer.{layer}", lang)


def register_text(layer: str | None, lang: str) -> str:
    """The layer on the register."""
    return DASH if layer is None else label(f"layer.{layer}", lang)


def reason_text(answer: Answer, lang: str) -> str:
    """Why the layer is what it is; of broken limits which."""
    known = load_labels()
    parts = [
        label(f"rule_reason.{code}" if f"rule_reason.{code}" in known else f"check.rule_reason.{code}", lang)
        for code in (answer["rule_reason"] or "").split(",")
        if code
    ]
    if answer["broken_limits"] and "property_over_limit" in (answer["rule_reason"] or ""):
        parts.append(limits_text(answer, lang))
    return ("；" if lang == "zh" else "; ").join(parts)


def limits_text(answer: Answer, lang: str) -> str:
    """Which limits of property are broken."""
    limits = [label(f"broken_limit.{name}", lang) for name in (answer["broken_limits"] or "").split(",") if name]
    return ("、" if lang == "zh" else ", ").join(limits)


def property_text(answer: Answer, lang: str) -> str:
    """Property in a word: within limits, over which, or sources missing."""
    if answer["broken_limits"]:
        return word("field.over", lang, limits=limits_text(answer, lang))
    return word("field.within" if answer["is_property_complete"] else "field.unmeasured", lang)


def verdict_text(answer: Answer, lang: str) -> str:
    """The finding in one sentence."""
    asked = register_text(answer["asked_layer"], lang)
    places = {"asked": asked, "layer": layer_text(answer["rule_layer"], lang), "reason": reason_text(answer, lang)}
    text = word(f"verdict.{answer['verdict']}", lang, **places)
    if answer["is_provisional"]:
        text += (" " if lang == "en" else "") + word("verdict.provisional", lang)
    return text


def member_text(member: Mapping[str, Any]) -> str:
    """A person by name, else by the masked ID number."""
    return member["name"] or mask_id(member["id_number"] or "") or DASH


def member_note(member: Mapping[str, Any], lang: str) -> str:
    """What is out of the ordinary about a member."""
    if not member["is_asked"]:
        return word("member.not_named", lang)
    if not member["is_known"]:
        return word("member.unknown", lang)
    if not member["is_counted"]:
        return word("member.not_counted", lang, reason=word(f"member.{member['not_counted_reason']}", lang))
    return ""


def row_text(delivery: str | None, row: int | None, lang: str) -> str:
    """Delivery and row of a fact."""
    return DASH if delivery is None else word("field.row_of", lang, delivery=delivery, row=row)


def side_text(source: str, says: str | None, lang: str) -> str:
    """One side of a contradiction: who, and what it says where that names nobody."""
    title = feed_title(source, lang)
    if not says:
        return title
    if source == "check_request":
        says = code_title("relation", says, lang)
    return f"{title}：{_said(says)}" if lang == "zh" else f"{title}: {_said(says)}"


def _said(says: str) -> str:
    if _AMOUNT.fullmatch(says):
        return yuan(Decimal(says))
    return _places().get(says, says) if len(says) == 12 and says.isdigit() else says


def contradiction_text(item: Mapping[str, Any], lang: str) -> str:
    """What is contradictory."""
    return word(f"contradiction.{item['contradiction']}", lang)


def source_state(source: Mapping[str, Any], lang: str) -> str:
    """Whether a source came: missing is not zero."""
    if not source["has_ever_come"]:
        return word("source_state.never", lang)
    if not source["is_covered"]:
        return word("source_state.missing", lang)
    return word("source_state.stale" if source["is_stale"] else "source_state.arrived", lang)


def to_verify(answer: Answer, lang: str) -> list[str]:
    """What a person has to find out before deciding, most pressing first."""
    return [*_about_members(answer, lang), *_about_sources(answer["source"], lang), word("verify.always", lang)]


def _about_members(answer: Answer, lang: str) -> list[str]:
    found = [
        word("verify.contradiction", lang, member=member_text(item), what=contradiction_text(item, lang))
        for item in answer["contradiction"]
    ]
    reasons = answer["rule_reason"] or ""
    if "no_income" in reasons:
        found.append(word("verify.no_income", lang))
    if answer["has_able_supporter"]:
        found.append(word("verify.supporter", lang))
    if answer["single_person_key"]:
        amount = short_yuan(answer["single_amount_yuan"])
        found.append(word("verify.single", lang, member=answer["single_name"] or DASH, amount=amount))
    return found


def _about_sources(sources: Iterable[Mapping[str, Any]], lang: str) -> list[str]:
    lines = []
    for source in sources:
        if not source["is_covered"]:
            key = "missing_source" if source["has_ever_come"] else "never_source"
            lines.append(word(f"verify.{key}", lang, feed=feed_title(source["feed"], lang)))
    return lines
