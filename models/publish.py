"""The shared language as reference Parquet, so that SQL reads the same words, codes and numbers as Python.

Belongs here: one function per published table and the writing of them all. Does not belong here: any meaning
of its own; every table is a plain picture of what the rest of ``models`` reads from its YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from models.alert_life import load_life
from models.calendar import days_between, is_working_day, months_between, next_month
from models.codes import load_code_tables, load_divisions
from models.contract import load_feeds
from models.labels import load_labels
from models.policy import (
    load_benefits,
    load_child_risk_reasons,
    load_indicators,
    load_overlaps,
    load_parameters,
    load_parent_states,
    resolve,
)
from models.policy.entitlements import load_assistance
from models.policy.parameters import Parameter, ParameterRow, keys_of
from models.policy.precedence import load_precedence
from models.quality.tables import quality_tables
from models.statistics.tables import statistics_tables

VALUE = pl.Decimal(18, 4)
# Due days reach beyond the last month, and ages of open alerts before the first: a year on either side.
_CALENDAR_MARGIN_YEARS = 1


def publish_reference(directory: Path, first_month: date, last_month: date) -> None:
    """Write every reference table as ``<directory>/<table>.parquet``, each complete or not at all.

    ``first_month`` and ``last_month`` (both included) bound ``parameter_month`` and ``calendar_day``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in reference_tables(first_month, last_month).items():
        aside = directory / f".{name}.parquet.part"
        table().write_parquet(aside)
        aside.replace(directory / f"{name}.parquet")


def reference_tables(first_month: date, last_month: date) -> dict[str, Callable[[], pl.DataFrame]]:
    """The published tables by name, each as the function that makes it."""
    return {
        "parameter": parameter_table,
        "parameter_month": lambda: parameter_month_table(first_month, last_month),
        "code": code_table,
        "label": label_table,
        "indicator": indicator_table,
        "division": division_table,
        "calendar_day": lambda: calendar_table(first_month, last_month),
        "feed": feed_table,
        "feed_column": feed_column_table,
        "benefit": benefit_table,
        "benefit_overlap": benefit_overlap_table,
        "source_precedence": source_precedence_table,
        "parent_state": parent_state_table,
        "child_risk_reason": child_risk_reason_table,
        **statistics_tables(),
        **quality_tables(),
        "alert_state": alert_state_table,
        "alert_transition_rule": alert_transition_rule_table,
        "assistance": assistance_table,
        "assistance_verify": assistance_verify_table,
        "assistance_reason": assistance_reason_table,
    }


def parameter_table() -> pl.DataFrame:
    """One row per written value: parameter, region_code, dimension_key, value or value_text, dates, source."""
    rows = [
        (name, row.region, row.key, row.value, row.text, parameter.unit, row.valid_from, row.valid_to, row.source)
        for name, parameter in load_parameters().items()
        for row in parameter.rows
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "parameter": pl.String,
        "region_code": pl.String,
        "dimension_key": pl.String,
        "value": VALUE,
        "value_text": pl.String,
        "unit": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "source_document": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def parameter_month_table(
    first_month: date, last_month: date, known: dict[str, Parameter] | None = None, names: Collection[str] | None = None
) -> pl.DataFrame:
    """One row per county (six digits), month, parameter and key: what holds on the first day of the month.

    County goes before city, city before province, province before nation. A key that holds nowhere has no row.
    ``known`` are other parameters than those of the files, ``names`` those of them that are wanted.
    """
    known = load_parameters() if known is None else known
    counties = sorted({division.county_code for division in load_divisions() if division.county_code})
    months = list(months_between(first_month, last_month))
    rows = [
        (county, month, parameter.name, key, row.value, row.text)
        for parameter in known.values()
        if names is None or parameter.name in names
        for key in keys_of(parameter, known)
        for county in counties
        for month, row in _resolved(parameter, county, key, months, known)
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "county_code": pl.String,
        "month": pl.Date,
        "parameter": pl.String,
        "dimension_key": pl.String,
        "value": VALUE,
        "value_text": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _resolved(
    parameter: Parameter, county: str, key: str, months: list[date], known: dict[str, Parameter]
) -> Iterator[tuple[date, ParameterRow]]:
    for month in months:
        row = resolve(parameter.name, county, month, key, known)
        if row is not None:
            yield month, row


def code_table() -> pl.DataFrame:
    """One row per code: code_table, code, label_zh, label_en, standard."""
    rows = [
        (table.name, code, label.zh, label.en, table.standard)
        for table in load_code_tables().values()
        for code, label in table.labels.items()
    ]
    return _strings(rows, ("code_table", "code", "label_zh", "label_en", "standard"))


def label_table() -> pl.DataFrame:
    """One row per text: key, zh, en."""
    return _strings([(key, text.zh, text.en) for key, text in load_labels().items()], ("key", "zh", "en"))


def indicator_table() -> pl.DataFrame:
    """One row per indicator of the catalogue, strongest first, with the working days of its default level."""
    days = {row.key: row.value for row in load_parameters()["answer_working_days"].rows if row.region == "000000"}
    rows = [
        {
            "indicator": item.indicator,
            "side": item.side,
            "family": item.family,
            "title_zh": item.title_zh,
            "title_en": item.title_en,
            "explanation_zh": item.explanation_zh,
            "explanation_en": item.explanation_en,
            "default_level": item.default_level,
            "owner_zh": item.owner_zh,
            "owner_en": item.owner_en,
            "days_to_answer": int(days[item.default_level] or 0),
            "implemented": item.implemented,
            "sort_order": item.sort_order,
        }
        for item in load_indicators().values()
    ]
    return pl.DataFrame(rows)


def division_table() -> pl.DataFrame:
    """One row per place; ``code`` and ``parent_code`` of 12 digits, county 6, township 9, short by rank.

    ``area_type`` is urban or rural for villages and null above them.
    """
    rows = [
        (
            place.code,
            place.name,
            place.level,
            place.parent_code,
            place.county_code,
            place.township_code,
            place.short_code,
            place.area_type,
        )
        for place in load_divisions()
    ]
    names = ("code", "name", "level", "parent_code", "county_code", "township_code", "short_code", "area_type")
    return _strings(rows, names)


def calendar_table(first_month: date, last_month: date) -> pl.DataFrame:
    """One row per day from a year before to a year after the months.

    ``working_day_number`` counts the working days up to and including the day, so the n-th working day after a
    day is the first whose number is larger by n.
    """
    first = date(first_month.year - _CALENDAR_MARGIN_YEARS, 1, 1)
    last = date(next_month(last_month).year + _CALENDAR_MARGIN_YEARS, 12, 31)
    rows = [(day, is_working_day(day)) for day in days_between(first, last)]
    days = pl.DataFrame(rows, schema={"day": pl.Date, "is_working_day": pl.Boolean}, orient="row")
    return days.with_columns(working_day_number=pl.col("is_working_day").cast(pl.Int64).cum_sum())


def feed_table() -> pl.DataFrame:
    """One row per feed: feed, title_zh, title_en, department, mode, frequency, due_day, version, grain."""
    rows = [
        {
            "feed": feed.name,
            "title_zh": feed.title_zh,
            "title_en": feed.title_en,
            "department": feed.department,
            "mode": feed.mode,
            "frequency": feed.frequency,
            "due_day": feed.due_day,
            "version": feed.version,
            "grain": feed.grain,
            "division_column": feed.division_column,
        }
        for feed in load_feeds().values()
    ]
    return pl.DataFrame(rows, schema_overrides={"division_column": pl.String})


def feed_column_table() -> pl.DataFrame:
    """One row per column of a feed, in order."""
    rows = [
        {
            "feed": feed.name,
            "position": position,
            "column": column.name,
            "header": column.header,
            "type": column.type,
            "code_table": column.code_table,
            "required": column.required,
            "key": column.key,
            "classification": column.classification,
            "description": column.description,
        }
        for feed in load_feeds().values()
        for position, column in enumerate(feed.columns, start=1)
    ]
    return pl.DataFrame(rows, schema_overrides={"code_table": pl.String}, infer_schema_length=None)


def benefit_table() -> pl.DataFrame:
    """One row per benefit and event that ends it: death, custody, moved_away, certificate_end, majority and more."""
    rows = [(item.code, item.paid_to, event) for item in load_benefits().values() for event in item.stops_at]
    return _strings(rows, ("benefit", "paid_to", "stops_at"))


def benefit_overlap_table() -> pl.DataFrame:
    """One row per pair of benefits that do not go together; pairs that are allowed are not published."""
    rows = [
        (item.benefit_a, item.benefit_b, item.rule, item.reason_zh, item.reason_en, item.source, item.goes)
        for item in load_overlaps()
        if item.rule != "allowed"
    ]
    return _strings(rows, ("benefit_a", "benefit_b", "rule", "reason_zh", "reason_en", "source_document", "goes"))


def source_precedence_table() -> pl.DataFrame:
    """One row per attribute and source: attribute, source, rank (the lowest is believed), reason_zh, reason_en."""
    return pl.DataFrame([rank.__dict__ for rank in load_precedence()])


def parent_state_table() -> pl.DataFrame:
    """One row per state of a parent: state, care, waits, told, title_zh, title_en."""
    return pl.DataFrame([state.__dict__ for state in load_parent_states()])


def child_risk_reason_table() -> pl.DataFrame:
    """One row per reason of the four colours: reason, level, sort_order, title_zh, title_en."""
    return pl.DataFrame([reason.__dict__ for reason in load_child_risk_reasons()])


def alert_state_table() -> pl.DataFrame:
    """One row per state of an alert, in order, with whether somebody still has to act."""
    states = load_life().states.items()
    return pl.DataFrame(
        [{"state": state, "is_open": is_open, "sort_order": n} for n, (state, is_open) in enumerate(states)]
    )


def alert_transition_rule_table() -> pl.DataFrame:
    """One row per event, state from which it leads and role that may bring it about."""
    rows = [(way.event, way.from_state, way.to_state, role) for way in load_life().transitions for role in way.by]
    return _strings(rows, ("event", "from_state", "to_state", "by_role"))


def assistance_table() -> pl.DataFrame:
    """One row per programme, benefit or aid; codes by area are null where it has none."""
    rows = [
        {
            "assistance": item.assistance,
            "kind": item.kind,
            "urban_code": item.code("urban"),
            "rural_code": item.code("rural"),
            "paid": item.paid,
            "sort_order": item.sort_order,
        }
        for item in load_assistance().values()
    ]
    return pl.DataFrame(rows, schema_overrides={"urban_code": pl.String, "rural_code": pl.String})


def assistance_verify_table() -> pl.DataFrame:
    """One row per assistance and thing that is still to be verified before it is applied for, in order."""
    rows = [
        {"assistance": item.assistance, "verify": code, "sort_order": position}
        for item in load_assistance().values()
        for position, code in enumerate(item.verify, start=1)
    ]
    return pl.DataFrame(rows)


def assistance_reason_table() -> pl.DataFrame:
    """One row per assistance and indicator that lets one think of it."""
    rows = [(item.assistance, indicator) for item in load_assistance().values() for indicator in item.after]
    return _strings(rows, ("assistance", "indicator"))


def _strings(rows: Sequence[tuple[str | None, ...]], names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
