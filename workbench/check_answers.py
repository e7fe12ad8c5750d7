"""One answer for each request for a means check: a report, or a refusal with its reasons.

Belongs here: putting the tables of a check together, a row for each request, and what a system gets of it (JSON). Does
not belong here: how it looks on paper (``check_pages``) or in a workbook (``check_workbook``); any rule: who may be
answered and what follows from the means is decided in ``monitoring.check_request*``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from models.codes import load_code_tables
from models.contract import load_feeds
from models.labels import label, load_labels
from models.masking import masked_id, masked_name

KEY = "request_no"
NO_NUMBER = "—"
REFUSALS = {
    KEY: pl.String(),
    "reason": pl.String(),
    "row_number": pl.Int64(),
    "column": pl.String(),
    "fault": pl.String(),
}
ROW_DEFECT = "row_defect"
NO_REQUEST_NO = "request_no_missing"


@dataclass(frozen=True)
class CheckTables:
    """The tables of one check, all of one month: those of ``monitoring.check_request*`` by their last word, the
    sources of the county (``source_month``), who the persons are (person_key, id_number, name) and the rows that could
    not be read (columns of ``REFUSALS``; ``asked``: what else of those requests could be read).
    """

    month: date
    request: pl.DataFrame
    member: pl.DataFrame
    layer: pl.DataFrame
    means: pl.DataFrame
    declared: pl.DataFrame
    contradiction: pl.DataFrame
    source: pl.DataFrame
    people: pl.DataFrame
    row_refusals: pl.DataFrame
    asked: pl.DataFrame


def answers(tables: CheckTables) -> pl.DataFrame:
    """One row per request, by its number: status, refusals, and for those answered member, means, declared,
    contradiction and source as lists, and the columns of ``layer``. Of who is refused no data is in it.
    """
    refusals = _refusals(tables)
    request = tables.request.drop("month", "is_answered", "refusal_reason")
    unread = tables.asked.join(request, on=KEY, how="anti").unique(KEY, keep="first", maintain_order=True)
    numbers = refusals.select(KEY).unique().join(request, on=KEY, how="anti").join(unread, on=KEY, how="anti")
    asked = pl.concat([request, unread, numbers], how="diagonal")
    listed = asked.join(_listed(refusals, "refusals"), on=KEY, how="left").with_columns(
        month=pl.lit(f"{tables.month:%Y-%m}"),
        status=pl.when(pl.col("refusals").list.len() > 0).then(pl.lit("refused")).otherwise(pl.lit("answered")),
    )
    alone = tables.people.select(single_person_key="person_key", single_id_number="id_number", single_name="name")
    layer = tables.layer.drop("month").join(alone, on="single_person_key", how="left")
    told = listed.join(layer, on=KEY, how="left")
    for name, frame in _parts(tables).items():
        told = told.join(_listed(frame, name), on=KEY, how="left")
    sources = (
        tables.source.drop("month").group_by("county_code").agg(pl.struct(pl.exclude("county_code")).alias("source"))
    )
    told = told.join(sources, on="county_code", how="left")
    private = [*(name for name in layer.columns if name != KEY), *_parts(tables), "source"]
    private += ["applicant_key", "household_id", "village_code", "township_code", "county_code", "area_type"]
    private += ["register_layer", "known_member_count"]
    is_answered = pl.col("status") == "answered"
    return told.with_columns(pl.when(is_answered).then(name).alias(name) for name in private).sort(KEY)


def _refusals(tables: CheckTables) -> pl.DataFrame:
    """Why requests are refused: by the rules, and for rows that could not be read."""
    ruled = tables.request.filter(~pl.col("is_answered")).select(KEY, reason="refusal_reason")
    rows = pl.concat([pl.DataFrame(schema=REFUSALS), ruled, tables.row_refusals], how="diagonal")
    return rows.unique(maintain_order=True).sort(KEY, "row_number", "column", "reason", nulls_last=False)


def _parts(tables: CheckTables) -> dict[str, pl.DataFrame]:
    people = tables.people.select("person_key", "id_number", "name")
    # Who was not asked about has signed nothing: shown is that somebody lives there, not who.
    member = tables.member.join(people, on="person_key", how="left").with_columns(
        pl.when("is_asked").then("id_number").otherwise(masked_id(pl.col("id_number"))).alias("id_number"),
        pl.when("is_asked").then("name").otherwise(masked_name(pl.col("name"))).alias("name"),
    )
    order = pl.when("is_applicant").then(0).when("is_asked").then(1).otherwise(2)
    member = member.sort(KEY, order, "relation", -pl.col("age_years").fill_null(-1), "person_key", nulls_last=True)
    names = member.select(KEY, "person_key", "id_number", "name")
    kinds = pl.col("kind").replace_strict({"income": 0, "exempt": 1, "spending": 2, "property": 3}, default=4)
    means = tables.means.with_columns(order=kinds).sort(
        KEY, "order", "person_key", "item", "found_month", "data_month", "feed", "delivery_id", "row_number"
    )
    return {
        "member": member.drop("month"),
        "means": means.drop("month", "order").join(names, on=[KEY, "person_key"], how="left", maintain_order="left"),
        "declared": tables.declared.drop("month").sort(KEY, "certificate_no"),
        "contradiction": tables.contradiction.drop("month")
        .sort(KEY, "contradiction", "person_key", "delivery_a", "row_a", "delivery_b", "row_b")
        .join(names, on=[KEY, "person_key"], how="left", maintain_order="left"),
    }


def _listed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.group_by(KEY, maintain_order=True).agg(pl.struct(pl.exclude(KEY)).alias(name))


def as_json(answered: pl.DataFrame, month: date) -> bytes:
    """The batch as one JSON document, each answer on a line of its own, so that it can be read as a stream too."""
    counts = dict(answered.group_by("status").len().iter_rows())
    head = {
        "month": f"{month:%Y-%m}",
        "requests": answered.height,
        "answered": counts.get("answered", 0),
        "refused": counts.get("refused", 0),
    }
    lines = _plain(answered).write_ndjson().encode().rstrip(b"\n").replace(b"\n", b",\n")
    start = json.dumps(head)[:-1].encode()
    return start + b', "answers": [\n' + lines + b"\n]}\n"


def _plain(answered: pl.DataFrame) -> pl.DataFrame:
    """Money as numbers, months as YYYY-MM, nested rows too; person keys are of no use to whoever asked."""
    columns = [name for name in answered.columns if name not in ("applicant_key", "household_id", "single_person_key")]
    return answered.select(_plain_column(pl.col(name), answered.schema[name]).alias(name) for name in columns)


def _plain_column(column: pl.Expr, kind: object) -> pl.Expr:
    if isinstance(kind, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        fields = dict(kind.inner.to_schema())
        kept = [name for name in fields if name not in ("person_key", "household_id")]
        inner = [_plain_column(pl.element().struct.field(name), fields[name]).alias(name) for name in kept]
        return column.list.eval(pl.struct(inner))
    return column


def refusal_texts(refusals: list[Mapping[str, Any]], lang: str) -> list[tuple[str, str]]:
    """Each reason in words with what to do about it."""
    return [(refusal_text(item, lang), label(f"check.advice.{_advice(item)}", lang)) for item in refusals]


def refusal_text(item: Mapping[str, Any], lang: str) -> str:
    """One reason in words; never a value of the row."""
    row, reason = item["row_number"], item["reason"]
    if reason == NO_REQUEST_NO:
        return label("check.refusal.request_no_missing", lang, row=row)
    if reason != ROW_DEFECT:
        return label(f"check.refusal.{reason}", lang)
    fault = label(f"quality.reason.{item['fault']}", lang)
    if not item["column"]:
        return label("check.refusal.row_unreadable", lang, row=row, reason=fault)
    return label("check.refusal.row_defect", lang, row=row, column=column_title(item["column"], lang), reason=fault)


def column_title(column: str, lang: str) -> str:
    """A column of the feed as its header says it; in English its name."""
    return load_feeds()["check_request"].column(column).header if lang == "zh" else column


def _advice(item: Mapping[str, Any]) -> str:
    return ROW_DEFECT if item["reason"] in (ROW_DEFECT, NO_REQUEST_NO) else str(item["reason"])


def feed_title(feed: str, lang: str) -> str:
    """A source in words: a feed by its contract, else by its label."""
    known = load_feeds()
    if feed in known:
        return known[feed].title_zh if lang == "zh" else known[feed].title_en
    return label(f"check.table.{feed}", lang) if f"check.table.{feed}" in load_labels() else feed


def code_title(table: str, code: str | None, lang: str) -> str:
    """A code in words; the code itself where the table does not know it."""
    text = load_code_tables()[table].labels.get(code or "")
    return (code or "") if text is None else (text.zh if lang == "zh" else text.en)


def rows(answered: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Answers one by one, for what is written one by one; an empty list where there is nothing of a kind."""
    lists = [name for name, kind in answered.schema.items() if isinstance(kind, pl.List)]
    for row in answered.iter_rows(named=True):
        yield {**row, **{name: row[name] or [] for name in lists}}
