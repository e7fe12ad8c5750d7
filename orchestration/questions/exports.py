"""The tables that other programs read, with columns that stay (design: command line).

Belongs here: shaping published tables and the ledger into those columns, and adding identities where asked.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Literal

import polars as pl
import polars.selectors as cs

from models.statistics import load_figures
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, vault_of

Format = Literal["csv", "jsonl", "parquet"]
LEDGER_LISTS = ("warnings", "schema_drift")
LEDGER_MAPS = ("quarantined_by_reason", "cell_defects_by_reason")
# What the rules say of a household, beside what the register says.
LAYER_COLUMNS = (
    "month", "household_id", "rule_layer", "rule_reason", "income_pc_yuan", "line_yuan", "amount_due_yuan",
    "is_within_property_limit", "broken_limits", "is_phase_out", "phase_out_until", "single_person_key",
    "single_amount_yuan", "missing_sources",
)  # fmt: skip
OVERPAYMENT_MONTHS = ("stop_month", "first_benefit_month", "last_benefit_month")
MONTH = pl.col("month").dt.strftime("%Y-%m")


def export_ledger(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per file ever seen; ``month`` is the data month of the delivery."""
    del identified  # the ledger names nobody
    frame = ledger_of(home).frame()
    wanted = frame.filter(pl.col("period") == f"{month:%Y-%m}") if month else frame
    return wanted.with_columns(pl.col(name).str.json_decode(pl.List(pl.String)) for name in LEDGER_LISTS)


def export_alerts(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month, household and side that is on a list."""
    alerts = _of_month(read_published(home, "alert_list"), month)
    columns = ["alert_id", MONTH.alias("month"), "side", "level", "household_id", "reasons"]
    columns += ["due_on", "township_code", "village_code"]
    if not identified:
        return alerts.select(columns)
    alerts = _with_identity(home, alerts, ["id_number", "name"])
    alerts = _with_member_ids(home, alerts)
    return alerts.select([*columns, "id_number", "name", "member_id_numbers"])


def export_indicators(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month, indicator and household or person in which it stands."""
    hits = _of_month(read_published(home, "indicator_hit"), month)
    columns = [MONTH.alias("month"), "indicator", "side", "level", "household_id", "person_key"]
    columns += ["value", "threshold", "evidence"]
    if not identified:
        return hits.select(columns)
    # A hit about the household as a whole (its income, say) is known by the household's reference person.
    reference = read_published(home, "household_month").select("month", "household_id", "reference_person_key")
    about = hits.join(reference, on=["month", "household_id"], how="left").with_columns(
        about=pl.coalesce("person_key", "reference_person_key")
    )
    named = _with_identity(home, about, ["id_number"], key="about")
    return _with_member_ids(home, named).select([*columns, "id_number", "member_id_numbers"])


def export_entitlements(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per alert, month, assistance that may be due, and person."""
    due = _of_month(read_published(home, "alert_entitlement"), month)
    columns = ["alert_id", MONTH.alias("month"), "household_id", "assistance", "kind", "code", "person_key"]
    columns += ["amount_yuan", "paid", "conditions", "to_verify"]
    if not identified:
        return due.select(columns)
    return _with_identity(home, due, ["id_number"]).select([*columns, "id_number"])


def export_ended(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per alert and month in which it ended without an answer: lapsed, merged, withdrawn."""
    ended = _of_month(read_published(home, "alert_end"), month)
    columns = ["alert_id", MONTH.alias("month"), "side", "event", "into_alert_id", "household_id", "reasons"]
    columns += [pl.col(name).dt.strftime("%Y-%m") for name in ("told_month", "list_month")]
    columns += ["is_answered", "was_listed", "township_code", "village_code"]
    if not identified:
        return ended.select(columns)
    named = _with_identity(home, ended, ["id_number"], key="reference_person_key")
    return named.select([*columns, "id_number"])


def export_corrections(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per visit that found data wrong, and delivered row that its owner is asked to correct."""
    del identified  # file and row are what the owner needs
    return _of_month(read_published(home, "correction_request"), month).with_columns(MONTH)


def export_scores(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month and household that the model scored."""
    scores = _of_month(pl.read_parquet(home.reference / "household_score.parquet"), month)
    columns = [MONTH.alias("month"), "household_id", "score", "rank_in_township", "probability"]
    columns += [pl.col("reason_codes").str.json_decode(pl.List(pl.String)), "model_version"]
    if not identified:
        return scores.select(columns)
    return _with_member_ids(home, scores).select([*columns, "member_id_numbers"])


def export_households(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month and household: where it lives, its layer on the register and by rule, its size and means."""
    households = _of_month(read_published(home, "household_month"), month)
    layers = _of_month(read_published(home, "household_layer_month"), month)
    households = households.join(layers.select(LAYER_COLUMNS), on=["month", "household_id"], how="left")
    if identified:
        households = _with_member_ids(home, households)
        households = _with_identity(home, households, ["id_number"], key="single_person_key")
        households = households.rename({"id_number": "single_person_id_number"})
    return households.with_columns(MONTH)


def export_register(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month, certificate and member on the register."""
    register = _of_month(read_published(home, "benefit_member_month"), month)
    if identified:
        register = _with_identity(home, register, ["id_number", "name"])
    return register.with_columns(MONTH)


def export_children(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month and child in a state of concern: state, difference, allowance, colour, visits."""
    return _of_persons(home, "child_state_month", month, identified)


def export_elders(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month and old person in special need: register, candidate, visit of the month."""
    return _of_persons(home, "elder_visit_month", month, identified)


def export_old_age_allowance(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month and person with an old-age allowance due, paid or overpaid."""
    return _of_persons(home, "old_age_allowance_month", month, identified)


def export_price_subsidy(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month, triggered price month and payee; ``month`` is that in which it is looked at."""
    payees = _of_persons(home, "price_subsidy_payee", month, identified)
    return payees.with_columns(pl.col("price_month").dt.strftime("%Y-%m"))


def export_overpayments(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per month, person, payee and rule with the overpaid money as known in that month."""
    overpaid = _of_month(read_published(home, "overpayment"), month)
    if identified:
        overpaid = _with_identity(home, overpaid, ["id_number", "name"])
        payee = [pl.col("id_number").alias("payee_id_number"), pl.col("name").alias("payee_name")]
        people = _with_identity(home, overpaid.select("payee_key").unique(), ["id_number", "name"], key="payee_key")
        overpaid = overpaid.join(people.select("payee_key", *payee), on="payee_key", how="left")
    months = [pl.col(name).dt.strftime("%Y-%m") for name in OVERPAYMENT_MONTHS]
    return overpaid.with_columns(MONTH, *months, pl.col("benefits").str.split(","))


def export_statistics(home: DataHome, month: date | None, identified: bool) -> pl.DataFrame:
    """One row per figure, month, area, layer and part, with its titles."""
    del identified  # figures name nobody
    figures = _of_month(read_published(home, "figure_month_area"), month)
    titles = pl.DataFrame(
        [(one.figure, one.title_zh, one.title_en) for one in load_figures().values()],
        schema=["figure", "title_zh", "title_en"],
        orient="row",
    )
    columns = ["figure", "title_zh", "title_en", MONTH.alias("month"), "area_level", "area_code", "layer", "dimension"]
    columns += ["unit", "value", "numerator", "denominator", "is_feed_arrived"]
    return figures.join(titles, on="figure", how="left", maintain_order="left").select(columns)


EXPORTS: dict[str, Callable[[DataHome, date | None, bool], pl.DataFrame]] = {
    "ledger": export_ledger,
    "alerts": export_alerts,
    "indicators": export_indicators,
    "entitlements": export_entitlements,
    "ended": export_ended,
    "corrections": export_corrections,
    "scores": export_scores,
    "households": export_households,
    "register": export_register,
    "statistics": export_statistics,
    "children": export_children,
    "elders": export_elders,
    "old_age_allowance": export_old_age_allowance,
    "price_subsidy": export_price_subsidy,
    "overpayments": export_overpayments,
}


def as_bytes(frame: pl.DataFrame, form: Format) -> bytes:
    """A table as a file's content; lists, structs and maps are JSON text where the format is CSV."""
    sink = io.BytesIO()
    if form == "parquet":
        frame.write_parquet(sink)
    elif form == "jsonl" and LEDGER_MAPS[0] in frame.columns:
        sink.write(_with_maps(frame))
    elif form == "jsonl":
        # Money as numbers: a decimal would be written as a text.
        frame.with_columns(cs.decimal().cast(pl.Float64)).write_ndjson(sink)
    else:
        _flat(frame).write_csv(sink)
    return sink.getvalue()


def _of_persons(home: DataHome, table: str, month: date | None, identified: bool) -> pl.DataFrame:
    """A published table with a person in each row, its columns as they are."""
    rows = _of_month(read_published(home, table), month)
    if identified:
        rows = _with_identity(home, rows, ["id_number", "name"])
    return rows.with_columns(MONTH)


def _of_month(frame: pl.DataFrame, month: date | None) -> pl.DataFrame:
    return frame.filter(pl.col("month") == month) if month else frame


def _with_identity(home: DataHome, frame: pl.DataFrame, columns: list[str], key: str = "person_key") -> pl.DataFrame:
    keys = frame[key].drop_nulls().unique().to_list()
    people = vault_of(home).identities(keys).select(pl.col("person_key").alias(key), *columns)
    return frame.join(people, on=key, how="left")


def _with_member_ids(home: DataHome, frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``member_id_numbers``: the ID numbers of the household's members in that month, sorted."""
    wanted = frame.select("month", "household_id").unique()
    members = read_published(home, "household_member_month").join(wanted, on=["month", "household_id"], how="semi")
    members = _with_identity(home, members, ["id_number"])
    lists = members.group_by("month", "household_id").agg(
        pl.col("id_number").drop_nulls().unique().sort().alias("member_id_numbers")
    )
    return frame.join(lists, on=["month", "household_id"], how="left")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.Series(name, [None if value is None else _json(value) for value in frame[name].to_list()], pl.String)
        for name in nested
    )


def _with_maps(frame: pl.DataFrame) -> bytes:
    """JSON lines in which counts by reason are objects; a row here is a file, so there are never many."""
    rows = ({**row, **{name: json.loads(row[name]) for name in LEDGER_MAPS}} for row in frame.iter_rows(named=True))
    return "".join(json.dumps(row, ensure_ascii=False, default=_stamp) + "\n" for row in rows).encode()


def _stamp(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
