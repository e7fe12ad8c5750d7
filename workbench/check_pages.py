"""A means check on paper: one answer as a report of ``pdf``, and a refusal as a page that says why and nothing else.

Belongs here: which sections a report has and what stands in their columns. Does not belong here: fonts and look
(``pdf``), words (``check_words``). ID numbers are masked: a page passes through many hands, and names with the last
four digits tell members apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from models.labels import label
from models.masking import mask_id
from workbench.check_answers import code_title, feed_title, refusal_texts
from workbench.check_words import (
    DASH,
    Answer,
    area_text,
    contradiction_text,
    member_note,
    member_text,
    month_word,
    property_text,
    register_text,
    row_text,
    short_yuan,
    side_text,
    source_state,
    to_verify,
    verdict_text,
    word,
    yuan,
)
from workbench.pdf import Column, Report, Section

FIELD = "field."
Rows = list[list[str]]


def report_of(answer: Answer, month: date, windows: Mapping[str, int], lang: str) -> Report:
    """The report of one answer; ``windows`` says over how many months income and spending are looked at."""
    answered = answer["status"] == "answered"
    return Report(
        title=word("title", lang),
        subtitle=word("subtitle", lang, request_no=answer["request_no"], month=month_word(month, lang)),
        facts=_facts(answer, lang),
        verdict=verdict_text(answer, lang) if answered else word("refused_verdict", lang),
        findings=_findings(answer, lang) if answered else [],
        sections=_sections(answer, windows, lang) if answered else [_refusals(answer, lang)],
        closing=[word("closing.data", lang, month=month_word(month, lang)), word("closing.people", lang)]
        if answered
        else [],
        footer=word("footer", lang, request_no=answer["request_no"]),
    )


def _facts(answer: Answer, lang: str) -> list[tuple[str, str]]:
    facts = [
        (word("field.requested_by", lang), answer["requested_by"] or DASH),
        (word("field.requested_on", lang), str(answer["requested_on"] or DASH)),
        (word("field.purpose", lang), code_title("purpose", answer["purpose"], lang) or DASH),
        (word("field.authorisation", lang), _authorisation(answer, lang)),
    ]
    if answer["status"] != "answered":
        return facts
    applicant = next((member for member in answer["member"] if member["is_applicant"]), None)
    return [
        *facts,
        (word("field.applicant", lang), _with_id(applicant) if applicant else DASH),
        (word("field.register_layer", lang), register_text(answer["register_layer"], lang)),
        (word("field.place", lang), area_text(answer, lang)),
        (
            word("field.counted", lang),
            str(answer["counted_member_count"] if answer["counted_member_count"] is not None else DASH),
        ),
    ]


def _authorisation(answer: Answer, lang: str) -> str:
    number, until = answer["authorisation_no"], answer["authorised_until"]
    return word("field.authorised", lang, number=number or DASH, day=until or DASH)


def _with_id(member: Mapping[str, Any]) -> str:
    return f"{member_text(member)} {mask_id(member['id_number'] or '')}".strip()


def _findings(answer: Answer, lang: str) -> list[tuple[str, str]]:
    unit = "元" if lang == "zh" else " yuan"

    def amount(value: Decimal | None) -> str:
        return DASH if value is None else short_yuan(value) + unit

    return [
        (word("field.income_pc_short", lang), amount(answer["income_pc_yuan"] if answer["is_income_known"] else None)),
        (word("field.line_short", lang), amount(answer["line_yuan"])),
        (word("field.amount_due_short", lang), amount(answer["amount_due_yuan"])),
        (word("field.property", lang), property_text(answer, lang)),
    ]


def _sections(answer: Answer, windows: Mapping[str, int], lang: str) -> list[Section]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in answer["means"]:
        found[row["kind"]].append(row)
    return [
        _members(answer["member"], lang),
        _income(answer, found["income"], windows, lang),
        _exempt(found["exempt"], lang),
        _spending(answer, found["spending"], windows, lang),
        _property(answer, found["property"], lang),
        _declared(answer, lang),
        _contradictions(answer["contradiction"], lang),
        _sources(answer["source"], lang),
        Section(word("section.verify", lang), rows=[[line] for line in to_verify(answer, lang)]),
    ]


def _title(key: str, lang: str) -> str:
    return word(f"{FIELD}{key}", lang)


def _columns(lang: str, *keys: str) -> list[Column]:
    """Columns by their field; numbers stand right, the origin of a row is small and takes what is left."""
    numbers = ("gross", "counted_amount", "declared", "found", "difference", "age", "members_listed")
    columns = []
    for key in keys:
        if key == "row":
            columns.append(Column(_title(key, lang), share=1, small=True))
        else:
            columns.append(Column(_title(key, lang), align="right" if key in numbers else "left", share=0))
    return columns


def _members(members: Iterable[Mapping[str, Any]], lang: str) -> Section:
    rows = [
        [
            member_text(member),
            mask_id(member["id_number"] or "") or DASH,
            code_title("relation", member["relation"], lang) or word("member.not_named_relation", lang),
            code_title("sex", member["sex"], lang) or DASH,
            str(member["age_years"] if member["age_years"] is not None else DASH),
            member_note(member, lang),
        ]
        for member in members
    ]
    columns = [*_columns(lang, "name", "id_number", "relation"), Column(_title("sex", lang), share=0)]
    columns += [*_columns(lang, "age"), Column(_title("note", lang))]
    return Section(word("section.member", lang), columns, rows)


def _income(answer: Answer, found: list[Mapping[str, Any]], windows: Mapping[str, int], lang: str) -> Section:
    columns = _columns(lang, "member", "item", "source", "found_month", "gross", "counted_amount", "row")
    notes = []
    if answer["is_income_known"]:
        places = {"observed": answer["income_observed_count"], "deduction": yuan(answer["work_cost_deduction_yuan"])}
        notes.append(word("income_note", lang, **places))
    empty = word("empty.income" if answer["is_income_known"] else "empty.income_unknown", lang)
    title = word("section.income", lang, months=windows["income"])
    return Section(title, columns, [_flow(row, lang) for row in found], empty, notes)


def _flow(row: Mapping[str, Any], lang: str) -> list[str]:
    return [
        member_text(row),
        _item(row, lang),
        feed_title(row["feed"], lang),
        month_word(row["found_month"], lang),
        yuan(row["gross_yuan"]),
        yuan(row["counted_yuan"]),
        row_text(row["delivery_id"], row["row_number"], lang),
    ]


def _item(row: Mapping[str, Any], lang: str) -> str:
    return label(f"means_item.{row['item']}", lang)


def _exempt(found: list[Mapping[str, Any]], lang: str) -> Section:
    columns = _columns(lang, "member", "item", "source", "data_month", "gross", "row")
    rows = [
        [
            member_text(row),
            _item(row, lang),
            feed_title(row["feed"], lang),
            month_word(row["data_month"], lang),
            yuan(row["gross_yuan"]),
            row_text(row["delivery_id"], row["row_number"], lang),
        ]
        for row in found
    ]
    return Section(word("section.exempt", lang), columns, rows, word("empty.exempt", lang))


def _spending(answer: Answer, found: list[Mapping[str, Any]], windows: Mapping[str, int], lang: str) -> Section:
    """Summed by member, item and source: a year of illness is dozens of settlements, and the workbook has them all."""
    sums: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in found:
        sums[(member_text(row), _item(row, lang), feed_title(row["feed"], lang))].append(row)
    rows = []
    for key, parts in sums.items():
        newest = max(parts, key=lambda row: (row["found_month"], row["delivery_id"], row["row_number"]))
        rows.append(
            [
                *key,
                month_word(newest["data_month"], lang),
                str(len(parts)),
                yuan(sum((row["counted_yuan"] or Decimal(0) for row in parts), Decimal(0))),
                row_text(newest["delivery_id"], newest["row_number"], lang),
            ]
        )
    columns = _columns(lang, "member", "item", "source")
    columns += [Column(_title("last_month", lang), share=0), Column(_title("count", lang), "right", 0)]
    columns += _columns(lang, "counted_amount", "row")
    notes = []
    if rows and answer["rigid_spending_ratio"] is not None:
        places = {"spending": yuan(answer["rigid_spending_12m_yuan"]), "share": f"{answer['rigid_spending_ratio']:.1%}"}
        notes.append(word("rigid_note", lang, **places))
    title = word("section.spending", lang, months=windows["spending"])
    return Section(title, columns, rows, word("empty.spending", lang), notes)


def _property(answer: Answer, found: list[Mapping[str, Any]], lang: str) -> Section:
    columns = _columns(lang, "member", "item", "source", "data_month", "gross")
    columns += [Column(_title("remark", lang)), *_columns(lang, "row")]
    rows = [
        [
            member_text(row),
            _item(row, lang),
            feed_title(row["feed"], lang),
            month_word(row["data_month"], lang),
            yuan(row["gross_yuan"]),
            _remark(row, lang),
            row_text(row["delivery_id"], row["row_number"], lang),
        ]
        for row in found
    ]
    empty = word("empty.property" if answer["is_property_complete"] else "empty.property_unknown", lang)
    return Section(word("section.property", lang), columns, rows, empty)


def _remark(row: Mapping[str, Any], lang: str) -> str:
    parts = []
    if row["area_m2"] is not None:
        parts.append(f"{row['area_m2']:g} ㎡")
    if row["reason"]:
        parts.append(label(f"means_reason.{row['reason']}", lang))
    return ("，" if lang == "zh" else ", ").join(parts)


def _declared(answer: Answer, lang: str) -> Section:
    columns = _columns(lang, "certificate", "layer", "members_listed", "declared", "found", "difference", "row")
    rows = [
        [
            row["certificate_no"],
            register_text(row["layer"], lang),
            str(row["member_count"]),
            yuan(row["declared_income_pc_yuan"]),
            yuan(row["found_income_pc_yuan"]),
            yuan(_difference(row)),
            row_text(row["delivery_id"], row["row_number"], lang),
        ]
        for row in answer["declared"]
    ]
    notes = [word("declared_property", lang)]
    return Section(word("section.declared", lang), columns, rows, word("empty.declared", lang), notes)


def _difference(row: Mapping[str, Any]) -> Decimal | None:
    found, declared = row["found_income_pc_yuan"], row["declared_income_pc_yuan"]
    return None if found is None or declared is None else found - declared


def _contradictions(found: Iterable[Mapping[str, Any]], lang: str) -> Section:
    columns = [
        Column(_title("member", lang), share=0),
        Column(_title("contradiction", lang), share=2),
        Column(_title("side_a", lang), share=2),
        Column(_title("side_b", lang), share=2),
        Column(_title("believed", lang), share=1),
    ]
    rows = [
        [
            member_text(item),
            contradiction_text(item, lang),
            side_text(item["source_a"], item["class_a"], lang),
            side_text(item["source_b"], item["class_b"], lang),
            feed_title(item["source_used"], lang) if item["source_used"] else DASH,
        ]
        for item in found
    ]
    return Section(word("section.contradiction", lang), columns, rows, word("empty.contradiction", lang))


def _sources(sources: Iterable[Mapping[str, Any]], lang: str) -> Section:
    columns = [
        Column(_title(key, lang), share=share) for key, share in (("source", 2), ("state", 1), ("last_month", 1))
    ]
    rows = [
        [feed_title(source["feed"], lang), source_state(source, lang), month_word(source["data_month"], lang)]
        for source in sources
    ]
    return Section(word("section.source", lang), columns, rows)


def _refusals(answer: Answer, lang: str) -> Section:
    columns = [Column(_title("refusal", lang), share=1), Column(_title("advice", lang), share=1)]
    rows = [list(texts) for texts in refusal_texts(answer["refusals"], lang)]
    return Section(word("section.refusal", lang), columns, rows)
