"""Whose aid chain is asked for, and the published rows of it.

Belongs here: from what a person gives (ID number, person key, household, alert) to keys of today and to the rows of
the published tables. Does not belong here: the words of a chain (``workbench.chain``) and what a gap is (dbt).

The chain of a person is what is about the person, and what came to the households that the person was a member of in
the month of each event. That of a household is what came to it and its members of each month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ingestion.linkage.events import IdentityEvents
from ingestion.linkage.resolve import key_of_today
from ingestion.vault.alias import PERSON, Aliases
from models.labels import label
from models.masking import mask_name, masked_id, masked_name
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of, vault_of
from orchestration.questions.people import key_of_number, person_key_of
from workbench.chain import Chain, make_chain

TABLES = ("aid_event", "aid_chain_finding", "overpayment_month", "household_member_month")
OPEN_END = date(9999, 12, 31)
_UNKNOWN = "nobody is known by that"
_NEXT = "check the number or key; `zhaoren identity resolve` and `vault resolve` lead old keys to those of today"


@dataclass(frozen=True)
class Subject:
    """Whose chain: a person (with the households lived in) or a household."""

    kind: str
    key: str


def subject_of(home: DataHome, given: str | None, id_file: Path | None) -> Subject:
    """The person or household meant, by keys of today; ``CommandError`` where nobody is known by it."""
    if given is None or _is_number(given):
        vault = vault_of(home)
        key = person_key_of(vault, None, id_file) if given is None else key_of_number(vault, given)
        return _known_person(home, key)
    if given[:2] in ("N-", "X-"):
        return Subject("household", _household_of_alert(home, given))
    households = _scan(home, "household_member_month").filter(pl.col("household_id") == given)
    if households.limit(1).collect().height:
        return Subject("household", given)
    alias = _scan(home, "household_alias").filter(pl.col("household_id") == given).collect()
    if alias.height:
        return Subject("household", str(alias["current_household_id"][0]))
    return _known_person(home, given)


def _is_number(given: str) -> bool:
    """Keys of persons and households are letters; alerts have a dash."""
    return any(character.isdigit() for character in given)


def _known_person(home: DataHome, key: str) -> Subject:
    """The key of today of a key given out at any time."""
    store = store_of(home)
    rekeyed = Aliases(store).resolve(key).filter(pl.col("kind") == PERSON)["new_key"].to_list()
    today = key_of_today(str(rekeyed[0]) if rekeyed else key, IdentityEvents(store).all())
    about = pl.col("person_key") == today
    tables = ("household_member_month", "aid_event", "overpayment_month")
    if not any(_scan(home, name).filter(about).limit(1).collect().height for name in tables):
        raise CommandError(_UNKNOWN, _NEXT)
    return Subject("person", today)


def _household_of_alert(home: DataHome, alert_id: str) -> str:
    """The household of an alert; of one given out before a change of the pseudonym key by the person it led to."""
    alerts = _scan(home, "alert").filter(pl.col("alert_id") == alert_id).sort("month").collect()
    if alerts.height:
        return str(alerts["household_id"][-1])
    members = _scan(home, "household_member_month")
    for key, month in Aliases(store_of(home)).resolve(alert_id).select("new_key", "month").iter_rows():
        lived = members.filter(pl.col("person_key") == key, pl.col("month") == month).collect()
        if lived.height:
            return str(lived["household_id"][0])
    raise CommandError(f"there is no alert {alert_id}", "`zhaoren export alerts` lists them")


def chain_of(home: DataHome, subject: Subject, *, identified: bool, alone: bool, lang: str) -> Chain:
    """The chain of a subject; ``alone`` leaves out what came to others of a person's households."""
    lived = _memberships(home, subject)
    tables = {name: _scan(home, name) for name in TABLES}
    known_now = pl.col("known_to") == OPEN_END
    events = _of_subject(tables["aid_event"], subject, lived, alone, "household_month")
    findings = _of_subject(tables["aid_chain_finding"], subject, lived, alone, "last_month")
    overpaid = _overpaid(tables["overpayment_month"].filter(known_now), subject, lived, alone)
    return make_chain(
        events,
        findings,
        overpaid,
        _people(home, subject, lived, (events, findings, overpaid), identified=identified, alone=alone),
        subject=_subject_text(home, subject, identified, lang),
        key=subject.key,
        month=_last_month(home),
        identified=identified,
        lang=lang,
    )


def _memberships(home: DataHome, subject: Subject) -> pl.DataFrame:
    """Months and households: of a person those lived in, of a household all months of its members."""
    members = _scan(home, "household_member_month").select("month", "household_id", "person_key")
    if subject.kind == "household":
        return members.filter(pl.col("household_id") == subject.key).collect()
    lived = members.filter(pl.col("person_key") == subject.key).select("month", "household_id")
    return members.join(lived, on=["month", "household_id"], how="semi").collect()


def _of_subject(table: pl.LazyFrame, subject: Subject, lived: pl.DataFrame, alone: bool, month: str) -> pl.DataFrame:
    if subject.kind == "household":
        return table.filter(pl.col("household_id") == subject.key).collect()
    own = pl.col("person_key") == subject.key
    if alone:
        return table.filter(own).collect()
    homes = lived.select("household_id", pl.col("month").alias(month), pl.lit(True).alias("at_home")).unique()
    found = table.filter(own | pl.col("household_id").is_in(homes["household_id"].unique().implode())).collect()
    return (
        found.join(homes, on=["household_id", month], how="left")
        .filter(own | pl.col("at_home").fill_null(False))
        .drop("at_home")
    )


def _overpaid(table: pl.LazyFrame, subject: Subject, lived: pl.DataFrame, alone: bool) -> pl.DataFrame:
    """Overpaid money of the person, or of anybody in the household in the month in which it became known."""
    own = (pl.col("person_key") == subject.key) | (pl.col("payee_key") == subject.key)
    if alone:
        return table.filter(own).collect()
    found = table.filter(pl.col("person_key").is_in(lived["person_key"].unique().implode()) | own).collect()
    there = lived.select("person_key", known_from="month", there=pl.lit(True)).unique()
    return (
        found.join(there, on=["person_key", "known_from"], how="left")
        .filter(own | pl.col("there").fill_null(False))
        .drop("there")
    )


def _people(
    home: DataHome,
    subject: Subject,
    lived: pl.DataFrame,
    tables: tuple[pl.DataFrame, ...],
    *,
    identified: bool,
    alone: bool,
) -> pl.DataFrame:
    """Everybody named in the chain: person_key, name, id_number as they may be shown, first_month, last_month."""
    last = _last_month(home)
    members = lived.filter(pl.col("person_key") == subject.key) if alone and subject.kind == "person" else lived
    spans = members.group_by("person_key").agg(first_month=pl.col("month").min(), last_month=pl.col("month").max())
    named = pl.concat([spans["person_key"], *(table["person_key"] for table in tables)]).drop_nulls().unique().sort()
    known = vault_of(home).identities(named.to_list()).select("person_key", "name", "id_number")
    if not identified:
        known = known.with_columns(name=masked_name(pl.col("name")), id_number=masked_id(pl.col("id_number")))
    return (
        named.to_frame("person_key")
        .join(known, on="person_key", how="left")
        .join(spans, on="person_key", how="left")
        .with_columns(last_month=pl.when(pl.col("last_month") < last).then("last_month"))
        .sort("person_key")
    )


def _subject_text(home: DataHome, subject: Subject, identified: bool, lang: str) -> str:
    """The name of the person, or of the one who speaks for the household, masked unless asked for."""
    key = subject.key
    if subject.kind == "household":
        newest = _scan(home, "household_month").filter(pl.col("household_id") == key).sort("month").collect()
        key = str(newest["reference_person_key"][-1])
    known = vault_of(home).identities([key])
    name = known["name"][0] if known.height else None
    text = (name if identified or not name else mask_name(name)) or label("chain.unknown", lang)
    return f"{text} · {label(f'chain.subject_{subject.kind}', lang)}"


def _last_month(home: DataHome) -> date:
    month = _scan(home, "household_member_month").select(pl.col("month").max()).collect().item()
    assert isinstance(month, date), "a published table of months has a month"
    return month


def _scan(home: DataHome, table: str) -> pl.LazyFrame:
    file = home.published / f"{table}.parquet"
    if not file.is_file():
        raise CommandError("nothing has been published yet", "run `zhaoren run` first")
    return pl.scan_parquet(file)
