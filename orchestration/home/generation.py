"""What the published tables were made of, and from which month on a run has to build anew.

Belongs here: the basis of a generation of tables (deliveries in force, merged persons, versions), comparing two of
them, the mark of a run that was cut short. Which months get lists belongs to ``run_plan``; the building to dbt.

A generation is built on the one that was published last. While a run builds, the warehouse file is of neither; the
mark says from which month on, until the next one is published. So a killed run heals: whatever the run after it
finds, it builds from that month at the latest.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from ingestion.in_force import touched_months, validity_of
from models.calendar import next_month
from models.contract import Feed, person_key_name

VALIDITY, FACTS = "delivery_validity.parquet", "basis.json"
ALIAS, ROW_ALIAS = "person_alias.parquet", "person_row_alias.parquet"
FOLDER, MARK = "basis", "unfinished.json"
ALIAS_SCHEMA = {"person_key": pl.String(), "resolved_key": pl.String()}
ROW_ALIAS_SCHEMA = {
    "delivery_id": pl.String(),
    "row_number": pl.Int64(),
    "column_name": pl.String(),
    "resolved_key": pl.String(),
}
# More feeds than these are counted, not named, when a run says why it builds.
_FEEDS_NAMED = 3


@dataclass(frozen=True)
class Basis:
    """All that decides what stands in the tables; ``versions`` are code, policy and key by name."""

    first_month: date
    last_month: date
    as_of: datetime
    versions: Mapping[str, str]
    validity: pl.DataFrame
    aliases: pl.DataFrame
    row_aliases: pl.DataFrame


@dataclass(frozen=True)
class Rebuild:
    """Months from ``since`` on are built anew, for the reasons given; ``data_since`` is the first month for which
    other data counts than before (None: none), whatever else there is to build. ``facts_since`` is the first month
    of which published events told since then speak: the layers after identity go back so far (None: to the first)."""

    since: date
    reasons: tuple[str, ...]
    data_since: date | None = None
    facts_since: date | None = None


def read_basis(folder: Path) -> Basis | None:
    """The basis that ``write_basis`` left; None where there is none or an earlier version wrote another form."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return Basis(
            date.fromisoformat(facts["first_month"]),
            date.fromisoformat(facts["last_month"]),
            datetime.fromisoformat(facts["as_of"]),
            facts["versions"],
            pl.read_parquet(folder / VALIDITY),
            pl.read_parquet(folder / ALIAS),
            pl.read_parquet(folder / ROW_ALIAS),
        )
    except (FileNotFoundError, KeyError):
        return None


def write_basis(basis: Basis, folder: Path) -> None:
    """Keep a basis in a folder of its own; the facts come last, without them there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).unlink(missing_ok=True)
    basis.validity.write_parquet(folder / VALIDITY)
    basis.aliases.write_parquet(folder / ALIAS)
    basis.row_aliases.write_parquet(folder / ROW_ALIAS)
    facts = {
        "first_month": basis.first_month.isoformat(),
        "last_month": basis.last_month.isoformat(),
        "as_of": basis.as_of.isoformat(),
        "versions": dict(basis.versions),
    }
    _write_text(folder / FACTS, json.dumps(facts, indent=1))


def copy_basis(source: Path, target: Path) -> None:
    """Put the basis of a run beside the tables that were made of it."""
    if source.is_dir():
        shutil.copytree(source, target)


def read_aliases(path: Path, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Which keys, or keys of which rows, stand for another person now; empty where nobody was merged."""
    return pl.read_parquet(path).select(list(schema)) if path.is_file() else pl.DataFrame(schema=schema)


def rebuild_since(
    published: Basis | None, planned: Basis, unfinished: date | None, told_of: Mapping[str, date] | None = None
) -> Rebuild:
    """From which month on tables must be built anew, compared with the generation published last.

    ``unfinished`` is the month from which a run that did not publish began; ``told_of`` the first data month by
    person key, for those whose resolution changed (``changed_persons``). Single rows that changed hands
    (``row_aliases``) count from the month of their delivery.
    """
    everything = _why_everything(published, planned)
    if published is None or everything:
        return Rebuild(planned.first_month, everything)
    data_since, reasons = _changed_data(published, planned)
    since = [planned.last_month, next_month(published.last_month)]
    if data_since is not None:
        since.append(data_since)
    regrouped = [*(told_of or {}).values(), *_months_of_changed_rows(published, planned)]
    if regrouped:
        since.append(min(regrouped))
        data_since = min([*regrouped, *([data_since] if data_since else [])])
        reasons.append("persons merged or split, or rows given to another person")
    if unfinished is not None:
        since.append(unfinished)
        reasons.append("an earlier run did not end")
    return Rebuild(max(planned.first_month, min(since)), tuple(reasons), data_since)


def facts_since(reach: Path, since: date, unfinished: date | None) -> date | None:
    """The first month of which the events that the published generation was told from ``since`` on speak: they may
    be told otherwise now, or not at all. ``reach`` is its table ``event_reach``. None where that cannot be said: in a
    warehouse that a run left unfinished are events of neither generation."""
    if unfinished is not None or not reach.is_file():
        return None
    told = pl.scan_parquet(reach).filter(pl.col("month") >= since).select(pl.col("reaches_to").min()).collect().item()
    return min(since, told) if told else since


def _why_everything(published: Basis | None, planned: Basis) -> tuple[str, ...]:
    """Reasons to build all months; empty where the published tables can be built upon."""
    if published is None:
        return ("no complete build yet",)
    reasons = [
        f"another {name}"
        for name in sorted({*published.versions, *planned.versions})
        if published.versions.get(name) != planned.versions.get(name)
    ]
    if planned.as_of < published.as_of:
        reasons.append(f"as of an earlier time than {published.as_of:%Y-%m-%d %H:%M}")
    if planned.first_month != published.first_month:
        reasons.append(f"the first month is {planned.first_month:%Y-%m}, not {published.first_month:%Y-%m}")
    return tuple(reasons)


def _changed_data(published: Basis, planned: Basis) -> tuple[date | None, list[str]]:
    """The first month up to the last for which other deliveries count, and what came, was corrected, withdrawn."""
    since = touched_months(validity_of(published.validity), validity_of(planned.validity))
    if since is None or since > planned.last_month:
        return None, []
    changes = delivery_changes(published.validity, planned.validity).filter(pl.col("month") <= planned.last_month)
    by_month = changes.group_by("month", "change", maintain_order=True).agg("feed")
    return since, [f"{change} of {_named(feeds)} {month:%Y-%m}" for month, change, feeds in by_month.iter_rows()]


def _named(feeds: list[str]) -> str:
    return ", ".join(feeds) if len(feeds) <= _FEEDS_NAMED else f"{len(feeds)} feeds"


def delivery_changes(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Feed, data month and change (delivery, correction, withdrawal) of what counts in only one of two validity
    tables; each once, sorted. A snapshot that now ends earlier has not changed: the next one came."""
    old, new = (
        frame.group_by("feed", "delivery_id").agg(pl.col("valid_from").min().alias("month"))
        for frame in (before, after)
    )
    one, month = ["feed", "delivery_id"], ["feed", "month"]
    came, gone = new.join(old, on=one, how="anti"), old.join(new, on=one, how="anti")
    changes = {
        "delivery": came.join(gone, on=month, how="anti"),
        "correction": came.join(gone, on=month, how="semi"),
        "withdrawal": gone.join(came, on=month, how="anti"),
    }
    told = [frame.select(*month, pl.lit(change).alias("change")) for change, frame in changes.items()]
    return pl.concat(told).unique().sort("month", "change", "feed")


def changed_persons(before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Keys that resolve to another person after than before, by two alias tables."""
    both = before.join(after, on="person_key", how="full", coalesce=True, suffix="_after")
    key = pl.col("person_key")
    changed = both.filter(pl.col("resolved_key").fill_null(key) != pl.col("resolved_key_after").fill_null(key))
    return changed["person_key"].sort().to_list()


def _months_of_changed_rows(published: Basis, planned: Basis) -> list[date]:
    """Data months of the deliveries in force of which a row is now about another person than it was."""
    before, after = published.row_aliases, planned.row_aliases
    columns = list(ROW_ALIAS_SCHEMA)
    changed = pl.concat([before.join(after, on=columns, how="anti"), after.join(before, on=columns, how="anti")])
    told = planned.validity.join(changed, on="delivery_id", how="semi")
    return told["valid_from"].unique().to_list()


def first_told(lake: Path, feeds: Mapping[str, Feed], keys: Sequence[str]) -> dict[str, date]:
    """The first data month in whose deliveries each of these persons stands. Reads the lake's key columns."""
    if not keys:
        return {}
    wanted = pl.Series(keys, dtype=pl.String)
    found = []
    for feed in feeds.values():
        columns = [person_key_name(column.name) for column in feed.columns if column.type == "id"]
        files = sorted((lake / feed.name).glob("**/*.parquet"))
        if columns and files:
            rows = pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
            told = rows.select("period", *columns).unpivot(index="period", value_name="key").drop("variable")
            found.append(told.filter(pl.col("key").is_in(wanted.implode())).group_by("key").agg(pl.col("period").min()))
    frame = pl.concat(pl.collect_all(found)).group_by("key").agg(pl.col("period").min()).sort("key")
    return {key: date.fromisoformat(f"{period}-01") for key, period in frame.iter_rows()}


def mark_unfinished(root: Path, since: date) -> None:
    """Note, before anything is built, from which month on the warehouse is about to change."""
    earlier = unfinished_since(root)
    _write_text(root / MARK, json.dumps({"since": min(since, earlier or since).isoformat()}))


def unfinished_since(root: Path) -> date | None:
    """The month from which the warehouse may differ from what is published; None where it does not."""
    mark = root / MARK
    return date.fromisoformat(json.loads(mark.read_text(encoding="utf-8"))["since"]) if mark.is_file() else None


def clear_mark(root: Path) -> None:
    """The tables built have been published."""
    (root / MARK).unlink(missing_ok=True)


def _write_text(path: Path, text: str) -> None:
    """On disk as a whole, or as it was before."""
    aside = path.with_suffix(".aside")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
