"""The life of alerts outside of the warehouse: what people decided, and what was on lists that are out.

Belongs here: handing both to dbt as reference tables, as of a run, and remembering each publication. What may be
decided is ``models.alert_life``; what follows from it is ``dbt_project/models/alerts``.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from orchestration.home.operations import Operations

TRANSITION_FILE = "alert_transition.parquet"
GIVEN_FILE = "alert_given.parquet"
JOURNAL_FILE = "alert_journal.parquet"

TRANSITION_SCHEMA: dict[str, pl.DataType] = {
    "transition_id": pl.Int64(),
    "alert_id": pl.String(),
    "side": pl.String(),
    "household_id": pl.String(),
    "event": pl.String(),
    "from_state": pl.String(),
    "to_state": pl.String(),
    "role": pl.String(),
    "month": pl.Date(),
    "township_code": pl.String(),
    "village_code": pl.String(),
    "decided_at": pl.Datetime("us"),
}
# What a list said of an alert.
_SAID: dict[str, pl.DataType] = {
    "alert_id": pl.String(),
    "month": pl.Date(),
    "side": pl.String(),
    "household_id": pl.String(),
    "level": pl.String(),
    "reasons": pl.List(pl.String()),
    "person_key": pl.String(),
    "reference_person_key": pl.String(),
    "township_code": pl.String(),
    "village_code": pl.String(),
    "first_month": pl.Date(),
    "due_on": pl.Date(),
}
GIVEN_SCHEMA = _SAID | {"withdrawn_in": pl.Date()}
# Append-only: each row says that an alert came onto the list of a month, or was found gone from it.
_JOURNAL = _SAID | {"is_listed": pl.Boolean(), "run_month": pl.Date(), "as_of": pl.Datetime("us")}
_KEY = ["alert_id", "month"]


def ensure_alert_life(reference: Path) -> None:
    """Tables without rows where nothing was decided or published yet: dbt reads them in any case."""
    for name, schema in ((TRANSITION_FILE, TRANSITION_SCHEMA), (GIVEN_FILE, GIVEN_SCHEMA)):
        if not (reference / name).is_file():
            _replace(pl.DataFrame(schema=schema), reference / name)


def publish_alert_life(operations: Operations, reference: Path, as_of: datetime) -> None:
    """Write both tables as of a moment: decisions and publications after it do not count."""
    moment = _plain(as_of)
    told = pl.DataFrame(operations.alert_transitions(), schema_overrides=TRANSITION_SCHEMA)
    decided = told.select(list(TRANSITION_SCHEMA)) if told.height else pl.DataFrame(schema=TRANSITION_SCHEMA)
    _replace(decided.filter(pl.col("decided_at") <= moment).sort("transition_id"), reference / TRANSITION_FILE)
    _replace(_given(_journal(reference), moment), reference / GIVEN_FILE)


def decisions_since(reference: Path, basis: Path, published: Path) -> date | None:
    """The first month of a decision that counts now and did not for the published generation, or the other way round;
    None where the same ones count. What counts is kept in ``basis``, which goes along with the tables made of it."""
    basis.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(reference / TRANSITION_FILE, basis / TRANSITION_FILE)
    now, file = pl.read_parquet(reference / TRANSITION_FILE), published / TRANSITION_FILE
    before = pl.read_parquet(file) if file.is_file() else now.clear()
    new, gone = (a.join(b, on="transition_id", how="anti") for a, b in ((now, before), (before, now)))
    first: date | None = pl.concat([new, gone]).select(pl.col("month").min()).item()
    return first


def keep_alerts(published: Path, reference: Path) -> None:
    """Add to the journal what this generation lists for the first time, and what it no longer does."""
    listed, ended, run = published / "alert_list.parquet", published / "alert_end.parquet", reference / "run.parquet"
    if not all(file.is_file() for file in (listed, ended, run)):
        return
    facts = pl.read_parquet(run).row(0, named=True)
    journal = _journal(reference)
    state = _newest(journal)
    now = pl.read_parquet(listed).select(list(_SAID)).cast(_SAID)  # type: ignore[arg-type]
    # Gone from the list of a month that is out, answered or not; what only lapsed stood until the month before.
    gone = pl.read_parquet(ended).filter(pl.col("list_month") == pl.col("month")).select(_KEY)
    was_listed = state.filter("is_listed")
    came = now.join(was_listed, on=_KEY, how="anti").with_columns(is_listed=pl.lit(True))
    went = was_listed.join(gone, on=_KEY, how="semi").select(list(_SAID)).with_columns(is_listed=pl.lit(False))
    new = pl.concat([came, went]).with_columns(
        run_month=pl.lit(facts["last_month"], pl.Date), as_of=pl.lit(facts.get("as_of"), pl.Datetime("us"))
    )
    if new.height:
        _replace(pl.concat([journal, new.select(list(_JOURNAL))]).sort("as_of", *_KEY), reference / JOURNAL_FILE)


def _given(journal: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    """One row per alert and month ever listed by then; ``withdrawn_in`` where it was last found gone."""
    known = journal.filter(pl.col("as_of") <= moment)
    said = known.filter("is_listed").unique(_KEY, keep="last", maintain_order=True)
    gone = _newest(known).filter(~pl.col("is_listed")).select(*_KEY, withdrawn_in="run_month")
    return said.join(gone, on=_KEY, how="left").select(list(GIVEN_SCHEMA)).sort("month", "alert_id")


def _newest(journal: pl.DataFrame) -> pl.DataFrame:
    return journal.unique(_KEY, keep="last", maintain_order=True)


def _journal(reference: Path) -> pl.DataFrame:
    file = reference / JOURNAL_FILE
    return pl.read_parquet(file) if file.is_file() else pl.DataFrame(schema=_JOURNAL)


def _plain(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _replace(table: pl.DataFrame, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.part")
    table.write_parquet(aside)
    aside.replace(file)
