"""What a caseworker reads of an alert: one row of plain text each, names and places already in.

Belongs here: joining alerts with identities, sentences, what may be due and place names, and masking what the reader
need not see. Does not belong here: how the rows look on a sheet (``lists``) and which alerts there are (dbt).
"""

from __future__ import annotations

import polars as pl

from models.codes import code_label, load_code_tables, load_divisions
from models.labels import label
from models.masking import mask_phone as _mask_phone
from models.masking import masked_id, masked_name
from models.policy.catalogue import LEVELS, SIDES
from workbench.entitlement_words import entitlement_lines
from workbench.sentences import reason_sentences

REQUIRED = (
    "alert_id",
    "month",
    "side",
    "level",
    "household_id",
    "reasons",
    "due_on",
    "township_code",
    "village_code",
    "person_key",
)
# What is shown where the frame has it.
OPTIONAL: dict[str, type[pl.DataType]] = {
    "reference_person_key": pl.String,
    "register_layer": pl.String,
    "status": pl.String,
    "last_outcome": pl.String,
    "last_visited_on": pl.Date,
    "worker": pl.String,
}
# Places of living that the division list does not know share one list, so that no alert is lost.
UNLOCATED = "000000000"


def list_rows(
    alerts: pl.DataFrame,
    identities: pl.DataFrame,
    hits: pl.DataFrame,
    entitlements: pl.DataFrame,
    lang: str,
    identified: bool,
) -> pl.DataFrame:
    """One row per alert, most urgent first, all columns text but month and due_on.

    ``alerts`` has the columns of ``REQUIRED`` and may have those of ``OPTIONAL``;
    ``identities`` has person_key, name, id_number, phone, address, one row per person; ``entitlements`` is
    ``alert_entitlement``, of which the rows of these alerts are shown. Without
    ``identified`` names and phones are masked and there is no address; ID numbers are masked always.
    """
    missing = [name for name in REQUIRED if name not in alerts.columns]
    if missing:
        raise ValueError(f"alerts lack {', '.join(missing)}")
    known = _with_optional(alerts)
    people = shown_people(identities, identified, lang)
    due = entitlements.join(known, on=["alert_id", "month"], how="semi")
    shown = (
        known.join(people.rename({"person_key": "reference_person_key"}), on="reference_person_key", how="left")
        .join(people.select("person_key", concerned="name"), on="person_key", how="left")
        .join(villages(), on="village_code", how="left")
        .join(_reasons(known, people, hits, lang), on="alert_id", how="left")
        .join(entitlement_lines(due, people, lang), on="alert_id", how="left")
        .with_columns(township_code=township_or_unlocated())
    )
    order = (_order("level", LEVELS), _order("side", SIDES), "due_on", "village_code", "alert_id")
    return _worded(shown, lang).sort(*order)


def _with_optional(alerts: pl.DataFrame) -> pl.DataFrame:
    optional = {name: pl.col(name) if name in alerts.columns else pl.lit(None, kind) for name, kind in OPTIONAL.items()}
    return alerts.select(*REQUIRED, **optional).with_columns(
        pl.col("township_code", "village_code", "person_key").cast(pl.String),
        pl.col("register_layer").fill_null("none"),
        reference_person_key=pl.coalesce("reference_person_key", "person_key"),
    )


def shown_people(identities: pl.DataFrame, identified: bool, lang: str) -> pl.DataFrame:
    """One row per person as a list may show him or her: the ID number masked always, the rest unless ``identified``."""
    unknown = pl.lit(label("list.unknown", lang))
    people = identities.select("person_key", "name", "id_number", "phone", "address").unique("person_key")
    people = people.with_columns(id_number=masked_id(pl.col("id_number")))
    if not identified:
        people = people.with_columns(
            name=masked_name(pl.col("name")),
            phone=pl.col("phone").map_elements(_mask_phone, return_dtype=pl.String),
            address=pl.lit(None, pl.String),
        )
    return people.with_columns(pl.col("name", "id_number", "phone").fill_null(unknown))


def villages() -> pl.DataFrame:
    """One row per village: village_code, village, area_type."""
    rows = [(place.code, place.name, place.area_type) for place in load_divisions() if place.level == "village"]
    return pl.DataFrame(rows, schema=["village_code", "village", "area_type"], orient="row")


def township_or_unlocated() -> pl.Expr:
    """The nine digits of a township of the list, else ``UNLOCATED``."""
    known = [place.short_code for place in load_divisions() if place.level == "township"]
    short = pl.col("township_code").str.slice(0, 9)
    return pl.when(short.is_in(known)).then(short).otherwise(pl.lit(UNLOCATED))


def _reasons(alerts: pl.DataFrame, people: pl.DataFrame, hits: pl.DataFrame, lang: str) -> pl.DataFrame:
    """One row per alert: its sentences, one a line, the strongest reason first."""
    sentences = reason_sentences(alerts, hits, people, lang)
    lines = pl.col("sentence").unique(maintain_order=True).str.join("\n")
    return sentences.group_by("alert_id", maintain_order=True).agg(reason=lines)


def _worded(shown: pl.DataFrame, lang: str) -> pl.DataFrame:
    def words(prefix: str, column: str, values: tuple[str, ...]) -> pl.Expr:
        texts = {value: label(f"{prefix}.{value}", lang) for value in values}
        return pl.col(column).replace_strict(texts, return_dtype=pl.String).alias(f"{prefix}_text")

    layers = ("destitute", "dibao", "marginal", "rigid_expenditure", "relapse_risk", "other_hardship", "none")
    text = pl.col("village", "household", "concerned", "id_number", "phone", "address", "reason")
    due = pl.col("proposal", "proposal_short", "verify")
    return (
        shown.rename({"name": "household"})
        .with_columns(
            words("level", "level", LEVELS),
            words("side", "side", SIDES),
            words("layer", "register_layer", layers),
            pl.col("household").fill_null(label("list.unknown", lang)),
            reason=pl.concat_str(_history(lang), pl.col("reason"), separator="\n", ignore_nulls=True),
        )
        .with_columns(text.fill_null(""), due.fill_null(""))
    )


def _history(lang: str) -> pl.Expr:
    """What came before, in one line: the state that asks for haste, the last visit, who is to go; else null."""
    outcomes = {code: code_label("outcome", code, lang) for code in load_code_tables()["outcome"].labels}
    visited = pl.format(
        label("list.last_visit", lang, day="{}", outcome="{}"),
        pl.col("last_visited_on").dt.strftime("%Y-%m-%d"),
        pl.col("last_outcome").replace_strict(outcomes, default=None, return_dtype=pl.String),
    )
    states = {state: label(f"list.{state}", lang) for state in ("overdue", "returned", "reopened")}
    state = pl.col("status").replace_strict(states, default=None, return_dtype=pl.String)
    worker = pl.format(label("list.worker", lang, worker="{}"), pl.col("worker"))
    told = pl.concat_str(state, visited, worker, ignore_nulls=True)
    return pl.when(told != "").then(told)


def _order(column: str, values: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).replace_strict({value: place for place, value in enumerate(values)}, return_dtype=pl.Int64)
