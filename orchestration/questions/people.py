"""Persons as the command line names them: by a typed ID number, by a person key, by an open alert.

Belongs here: turning what a person gives into person keys, and published tables into those who are waited for. What is
known of a person is the vault's (``ingestion.vault``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import typer

from ingestion.parse_identity import check_character
from ingestion.vault import Vault
from models.alert_life import load_life
from models.masking import mask_id, mask_name, mask_phone
from orchestration.console import CommandError
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import DataHome

_ID_LENGTH = 18


def person_key_of(vault: Vault, key: str | None, id_file: Path | None) -> str:
    """The person key given, or that of an ID number read from a file, from standard input or from a prompt."""
    if key is not None:
        return checked_key(key)
    return key_of_number(vault, _read_number(id_file))


def key_of_number(vault: Vault, number: str) -> str:
    """The person key of an ID number; a failure that repeats nothing where it is none."""
    number = number.strip().upper()
    if len(number) != _ID_LENGTH or not number[:17].isdigit() or check_character(number[:17]) != number[17]:
        raise CommandError("that is no valid ID number of 18 characters", "check it and try again")
    return str(vault.person_keys_of([number])["person_key"][0])


def checked_key(key: str) -> str:
    """A person key given as an argument; an ID number is refused, since it would stay in the history of the shell."""
    if any(character.isdigit() for character in key):
        raise typer.BadParameter("a person key has no digits; never write an ID number on the command line")
    return key


def _read_number(id_file: Path | None) -> str:
    if id_file is not None:
        return id_file.read_text(encoding="utf-8-sig").strip().upper()
    if sys.stdin.isatty():
        return str(typer.prompt("ID number", hide_input=True)).strip().upper()
    return sys.stdin.readline().strip().upper()


def with_open_alerts(home: DataHome) -> pl.Series:
    """Everybody in a household with an alert of the newest month that nobody has answered."""
    empty = pl.Series("person_key", [], dtype=pl.String)
    try:
        alerts = read_published(home, "alert")
        members = read_published(home, "household_member_month")
    except NotPublishedError:
        return empty
    # In any other state somebody still has to go there.
    done = list(load_life().ended_states())
    waiting = alerts.filter(pl.col("month") == alerts["month"].max(), ~pl.col("status").is_in(done))
    households = members.join(waiting, on=["month", "household_id"], how="semi")["person_key"]
    named = [waiting["person_key"], waiting["reference_person_key"], households]
    keys = pl.concat([empty, *(keys.cast(pl.String).alias("person_key") for keys in named)]).drop_nulls().unique()
    return with_earlier_keys(home, keys)


def area_of(home: DataHome, key: str) -> str | None:
    """The village in which a person or household lived last, by key; None where the tables do not say."""
    try:
        members, households = (read_published(home, name) for name in ("household_member_month", "household_month"))
    except NotPublishedError:
        return None
    lived = members.filter((pl.col("person_key") == key) | (pl.col("household_id") == key)).sort("month").tail(1)
    placed = households.join(lived, on=["month", "household_id"], how="semi")
    return str(placed["village_code"][0]) if placed.height and placed["village_code"][0] else None


def with_earlier_keys(home: DataHome, keys: pl.Series) -> pl.Series:
    """These persons, and every key that stands for one of them since a merge: the vault knows a person by all."""
    path = home.reference / "person_alias.parquet"
    if not path.is_file():
        return keys
    aliases = pl.read_parquet(path).filter(pl.col("resolved_key").is_in(keys.implode()))
    return pl.concat([keys, aliases["person_key"]]).unique()


def masked(facts: pl.DataFrame) -> pl.DataFrame:
    """The same facts with values as they may be shown to anybody."""
    values = [_MASKS.get(fact, _hide)(value) for fact, value in facts.select("fact", "value").iter_rows()]
    return facts.with_columns(value=pl.Series(values, dtype=pl.String))


def _hide(value: str) -> str:
    del value
    return "***"


_MASKS = {"name": mask_name, "former_name": mask_name, "id_number": mask_id, "phone": mask_phone}
