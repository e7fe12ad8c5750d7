"""The tables of a means check: of the requests that the feed brought for a month, or of a file that somebody gives.

Belongs here: bringing together requests, published tables and identities. Whom may be answered and what follows from
means is decided by the models ``monitoring.check_request*``; for a file these are built over its rows in a scratch
warehouse, for the feed they stand published. Of a request with a row that could not be read nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from ingestion.apart import ReadApart, read_apart, refused_rows
from ingestion.table import ROW_NUMBER
from models.contract import load_feeds
from models.names import comparable_names
from orchestration.feeds.quarantine import quarantined_rows
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, quarantine_of, store_of, vault_of
from orchestration.questions.scratch import scratch_warehouse
from workbench.check_answers import KEY, NO_REQUEST_NO, REFUSALS, ROW_DEFECT, CheckTables

FEED = "check_request"
GIVEN = "check_request_told"
SCHEMA = "monitoring"
TABLES = {
    "request": "check_request",
    "member": "check_request_member",
    "layer": "check_request_layer",
    "means": "check_request_means",
    "declared": "check_request_declared",
    "contradiction": "check_request_contradiction",
}
SOURCES = "means_source_state"
# Published tables of which a check looks at the rows of its own month alone.
OF_THE_MONTH = (
    "household_member_month",
    "household_month",
    "benefit_member_month",
    "benefit_household_month",
    "person_month_income_window",
    "person_month_rigid_spending",
    "person_month_spending",
)
_ASKED = ("purpose", "requested_on", "requested_by", "authorisation_no", "authorised_until")
_GIVEN_COLUMNS = ("request_no", "person_key", "applicant_key", "relation", *_ASKED, "delivery_id", ROW_NUMBER)


@dataclass(frozen=True)
class _Requests:
    """Rows that could be read (with person keys), and what is known of the others."""

    accepted: pl.DataFrame
    row_refusals: pl.DataFrame
    refused: pl.DataFrame


def check_file(home: DataHome, path: Path, month: date, received_on: date) -> CheckTables:
    """The tables for a file in the columns of the feed; ``FileRejectedError`` where it cannot be read as a whole."""
    read = read_apart(path, load_feeds()[FEED], store_of(home), received_on)
    accepted = _with_todays_keys(home, read.accepted)
    requests = _Requests(accepted, _row_refusals(read), read.refused)
    asked = _asked(requests)
    whole = accepted.join(requests.row_refusals, on=KEY, how="anti").unique(
        [KEY, "person_key"], keep="last", maintain_order=True
    )
    people = whole.select("person_key", "id_number", "name").unique("person_key", keep="last", maintain_order=True)
    built = _built(home, whole, month)
    others = built["member"].filter(~pl.col("is_asked"))["person_key"]
    known = vault_of(home).identities([*people["person_key"], *others])
    tables = _tables(home, built, month, requests.row_refusals, asked, people, known)
    return replace(
        tables, contradiction=pl.concat([tables.contradiction, _other_names(whole, tables, known)], how="diagonal")
    )


def check_feed(home: DataHome, month: date) -> CheckTables:
    """The tables for the requests that the feed brought for a month."""
    found = {name: _of_month(read_published(home, table), month) for name, table in TABLES.items()}
    requests = _set_aside(home, month)
    told = {name: frame.join(requests.row_refusals, on=KEY, how="anti") for name, frame in found.items()}
    asked = pl.concat([_asked(requests), found["request"].select(KEY, *_ASKED)], how="diagonal")
    asked = asked.join(requests.row_refusals, on=KEY, how="semi").unique(KEY, keep="first", maintain_order=True)
    known = vault_of(home).identities(told["member"]["person_key"].to_list())
    return _tables(home, told, month, requests.row_refusals, asked, known.clear(), known)


def windows(home: DataHome, month: date) -> dict[str, int]:
    """Over how many months income and spending are looked at."""
    policy = pl.read_parquet(home.reference / "parameter_month.parquet").filter(pl.col("month") == month)
    names = {"income": "means_income_months", "spending": "rigid_spending_window_months"}
    values = dict(policy.group_by("parameter").agg(pl.col("value").max()).iter_rows())
    return {name: int(values[parameter]) for name, parameter in names.items()}


def only(tables: CheckTables, numbers: Iterable[str]) -> CheckTables:
    """The same tables for some requests alone."""
    wanted = pl.Series(KEY, list(numbers), dtype=pl.String).implode()
    names = (*TABLES, "row_refusals", "asked")
    return replace(tables, **{name: getattr(tables, name).filter(pl.col(KEY).is_in(wanted)) for name in names})


def request_numbers(tables: CheckTables) -> set[str]:
    """Every request there is an answer for."""
    return set(tables.request[KEY]) | set(tables.row_refusals[KEY])


def _with_todays_keys(home: DataHome, rows: pl.DataFrame) -> pl.DataFrame:
    """Person keys that stand for another person since two turned out to be one, as those of today."""
    path = home.reference / "person_alias.parquet"
    if not path.is_file():
        return rows
    aliases = dict(pl.read_parquet(path).select("person_key", "resolved_key").iter_rows())
    return rows.with_columns(pl.col("person_key", "applicant_key").replace(aliases))


def _row_refusals(read: ReadApart) -> pl.DataFrame:
    """One row a fault of a row that could not be read, under the request it belongs to."""
    named = read.faults.join(read.refused.select(ROW_NUMBER, KEY), on=ROW_NUMBER, how="left")
    has_number = pl.col(KEY).is_not_null()
    return named.select(
        # A row without a number is a request of its own: nobody knows of which other it is a part.
        pl.when(has_number).then(KEY).otherwise(pl.format("#{}", ROW_NUMBER)).alias(KEY),
        pl.when(has_number | (pl.col("column").fill_null("") != KEY))
        .then(pl.lit(ROW_DEFECT))
        .otherwise(pl.lit(NO_REQUEST_NO))
        .alias("reason"),
        ROW_NUMBER,
        pl.col("column").fill_null(""),
        pl.col("reason").alias("fault"),
    ).cast(REFUSALS)  # type: ignore[arg-type]


def _asked(requests: _Requests) -> pl.DataFrame:
    """What of refused requests could be read besides persons: request_no, ``_ASKED`` and how many rows."""
    columns = [KEY, *_ASKED]
    rows = pl.concat([requests.accepted.select(columns), requests.refused.select(columns)], how="diagonal")
    first = [pl.col(name).drop_nulls().first() for name in _ASKED]
    rows = rows.drop_nulls(KEY).join(requests.row_refusals, on=KEY, how="semi")
    return rows.group_by(KEY, maintain_order=True).agg(*first, member_count=pl.len().cast(pl.Int32))


def _built(home: DataHome, rows: pl.DataFrame, month: date) -> dict[str, pl.DataFrame]:
    if rows.is_empty():
        return {name: read_published(home, table).clear() for name, table in TABLES.items()}
    given = rows.with_columns(delivery_id=pl.lit(None, pl.String)).select(pl.lit(month).alias("month"), *_GIVEN_COLUMNS)
    condition = f"month = date '{month}'"
    limits = {**dict.fromkeys(OF_THE_MONTH, condition), "person_month_means": f"month <= date '{month}'"}
    with scratch_warehouse(home, TABLES.values(), tables={GIVEN: given}, rows=limits) as scratch:
        return {name: scratch.read(SCHEMA, table) for name, table in TABLES.items()}


def _set_aside(home: DataHome, month: date) -> _Requests:
    """Rows of the feed's deliveries of a month that are in quarantine and open."""
    feed, store = load_feeds()[FEED], store_of(home)
    open_rows = quarantined_rows(home, FEED, None, every=False)
    parts = []
    for delivery in ledger_of(home).deliveries(FEED):
        mine = open_rows.filter(pl.col("delivery_id") == delivery.delivery_id)
        if delivery.status != "accepted" or delivery.period != f"{month:%Y-%m}" or mine.is_empty():
            continue
        raw = quarantine_of(home).raw_rows(FEED, delivery.delivery_id).join(mine, on=ROW_NUMBER, how="semi")
        parts.append(refused_rows(raw, feed, store, delivery.received_on))
    if not parts:
        empty = pl.DataFrame(schema=REFUSALS)
        nothing = pl.DataFrame(schema={KEY: pl.String, **_asked_schema(home)})
        return _Requests(nothing, empty, nothing)
    refused = pl.concat([view for view, _ in parts], how="diagonal_relaxed")
    refusals = [_row_refusals(ReadApart(view.clear(), view, faults)) for view, faults in parts]
    return _Requests(refused.clear(), pl.concat(refusals), refused)


def _asked_schema(home: DataHome) -> Mapping[str, pl.DataType]:
    schema = read_published(home, TABLES["request"]).schema
    return {name: schema[name] for name in _ASKED}


def _tables(
    home: DataHome,
    found: Mapping[str, pl.DataFrame],
    month: date,
    row_refusals: pl.DataFrame,
    asked: pl.DataFrame,
    people: pl.DataFrame,
    known: pl.DataFrame,
) -> CheckTables:
    columns = ["person_key", "id_number", "name"]
    told = pl.concat([people.select(columns), known.select(columns)]).unique(
        "person_key", keep="first", maintain_order=True
    )
    source = _of_month(read_published(home, SOURCES), month)
    return CheckTables(month=month, source=source, people=told, row_refusals=row_refusals, asked=asked, **found)


def _of_month(frame: pl.DataFrame, month: date) -> pl.DataFrame:
    return frame.filter(pl.col("month") == month)


def _other_names(rows: pl.DataFrame, tables: CheckTables, known: pl.DataFrame) -> pl.DataFrame:
    """Members of answered requests whom the request names otherwise than the registers do; the names stay here."""
    told = rows.join(known.select("person_key", known_name="name"), on="person_key", how="inner")
    answered = tables.request.filter("is_answered").select(KEY)
    differ = comparable_names(pl.col("name")) != comparable_names(pl.col("known_name"))
    return (
        told.join(answered, on=KEY, how="semi")
        .filter(differ)
        .select(
            pl.lit(tables.month).alias("month"),
            KEY,
            "person_key",
            contradiction=pl.lit("name_differs"),
            source_a=pl.lit(FEED),
            row_a=pl.col(ROW_NUMBER),
            source_b=pl.lit("registers"),
        )
    )


def newest_month(home: DataHome) -> date:
    """The last month that is published."""
    month = read_published(home, "household_month")["month"].max()
    if not isinstance(month, date):
        raise NotPublishedError("household_month")
    return month
