"""Validation of deliveries, from the lake and the ledger to results.

Belongs here: which deliveries are due for validation, one validation for each feed, and what must be held. Does not
belong here: what is checked (``catalogue``) and how (``row_checks``, ``delivery_checks``, ``steady``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations import store
from expectations.catalogue import (
    Catalogue,
    load_catalogue,
    resolve_contradiction_checks,
    resolve_feed_checks,
)
from expectations.check import CHECK_SCHEMA, FAILING_ROW_SCHEMA, RESULT_SCHEMA, Check, checks_frame, judged
from expectations.delivery_checks import (
    arrivals,
    compare,
    counts_of,
    lake_numbers,
    ledger_numbers,
    numbers_frame,
    quarantine_numbers,
)
from expectations.flags import Reference, prepared
from expectations.lake import InForce, batches, scan_deliveries
from expectations.measures import MEASURE_SCHEMA, measure_deliveries
from expectations.over_time import arrival_days, pairs_with_past
from expectations.reconciliation import kept_by_rule, rule_counts
from expectations.row_checks import ROW_KINDS, check_rows
from expectations.steady import steady_numbers
from models.calendar import ZONE_NAME
from models.contract import Feed

# Hashes are written in letters alone, so that none can be taken for an ID number.
DIGITS_AS_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True)
class _Job:
    """Everything a validation of deliveries works with."""

    lake: Path
    deliveries: pl.DataFrame
    feeds: Mapping[str, Feed]
    checks: tuple[Check, ...]
    catalogue: Catalogue
    reference: Reference
    kept: pl.DataFrame | None
    pairs: pl.DataFrame
    as_of: datetime

    def of_feed(self, name: str) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.subject == name)


def validate_deliveries(
    lake: Path,
    deliveries: pl.DataFrame,
    feeds: Mapping[str, Feed],
    reference: Path,
    results_dir: Path,
    as_of: datetime,
) -> pl.DataFrame:
    """Check every accepted delivery not yet checked (or whose surroundings changed); return all results.

    ``deliveries`` is the ledger as of ``as_of``. Reads delivery_validity, person_key and quarantine_row from
    ``reference`` and writes check_result, check_failing_row and check there; JSON of each validation goes to
    ``results_dir``. Nothing is raised for bad data; see ``deliveries_to_hold``.
    """
    job = _job(lake, deliveries, feeds, reference, as_of)
    fingerprints = _fingerprints(job)
    known = store.read_table(reference / store.RESULT_FILE, RESULT_SCHEMA)
    due = _due(job.deliveries, fingerprints, known)
    measures = store.read_table(results_dir / store.MEASURE_FILE, MEASURE_SCHEMA)
    found: list[pl.DataFrame] = []
    failing: list[pl.DataFrame] = [pl.DataFrame(schema=FAILING_ROW_SCHEMA)]
    numbers: list[pl.DataFrame] = [arrivals(job.deliveries, job.checks, feeds, as_of)]
    for name in due["feed"].unique().sort():
        own = due.filter(pl.col("feed") == name)
        results, rows, fresh = _validate_feed(job, name, own, measures)
        measures = pl.concat([measures.join(fresh.select("delivery_id"), on="delivery_id", how="anti"), fresh])
        found.append(results)
        failing.append(rows)
        numbers.extend(_numbers(job, name, own, measures))
    compared = counts_of(compare("deliveries", numbers_frame(numbers)))
    results = judged(pl.concat([*found, compared, *_unread_quarantine(job, due)], how="diagonal_relaxed"), job.checks)
    results = results.drop("fingerprint").join(fingerprints, on="delivery_id", how="left").select(list(RESULT_SCHEMA))
    store.write_table(measures, results_dir / store.MEASURE_FILE)
    for part in results.partition_by("feed_or_table"):
        store.write_validation(results_dir, part["feed_or_table"][0], part, as_of.isoformat())
    told_of = [check for check in resolve_contradiction_checks() if check.subject in feeds]
    publish_checks(reference, (*job.checks, *told_of))
    ids = due["delivery_id"].to_list()
    merged = store.merge_results(reference, results, pl.concat(failing), list(feeds), ids)
    if job.kept is not None:
        store.write_table(rule_counts(job.kept, merged, job.checks), reference / store.RULE_COUNT_FILE)
    return merged


def deliveries_to_hold(
    results: pl.DataFrame, released: Collection[str] = (), waived: pl.DataFrame | None = None
) -> pl.DataFrame:
    """delivery_id, feed, check_ids (list) of deliveries with a grave defect that nobody has ``released``.

    ``waived``: check_id and delivery_id of failures that a waiver lets pass (``waived_failures``).
    """
    grave = results.filter(pl.col("holds") & ~pl.col("delivery_id").is_in(list(released)))
    if waived is not None:
        grave = grave.join(waived, on=["check_id", "delivery_id"], how="anti")
    return (
        grave.group_by("delivery_id", feed=pl.col("feed_or_table"))
        .agg(check_ids=pl.col("check_id").sort())
        .sort("delivery_id")
    )


def waived_failures(results: pl.DataFrame, deliveries: pl.DataFrame, waivers: pl.DataFrame) -> pl.DataFrame:
    """check_id, delivery_id of failed results that a waiver in force (``WAIVER_SCHEMA``) covers."""
    failed = results.filter(pl.col("state") == "failed").join(
        deliveries.select("delivery_id", "division"), on="delivery_id"
    )
    month = (pl.col("period") + "-01").str.to_date()
    covered = (
        (pl.col("division_waived").is_null() | (pl.col("division_waived") == pl.col("division")))
        & (pl.col("month_from").is_null() | (month >= pl.col("month_from")))
        & (pl.col("month_to").is_null() | (month <= pl.col("month_to")))
    )
    named = waivers.select("check_id", "month_from", "month_to", division_waived="division")
    return failed.join(named, on="check_id").filter(covered).select("check_id", "delivery_id").unique().sort(pl.all())


def _job(lake: Path, deliveries: pl.DataFrame, feeds: Mapping[str, Feed], reference: Path, as_of: datetime) -> _Job:
    catalogue = load_catalogue()
    ledger = _ledger(deliveries).filter(pl.col("feed").is_in(list(feeds)))
    validity, persons = _optional(reference / "delivery_validity.parquet"), _optional(reference / "person_key.parquet")
    in_force = None if validity is None else InForce(lake, validity)
    accepted = ledger.filter(pl.col("status") == "accepted")
    if "supplements" in accepted.columns:
        # Mended rows of another delivery are few by nature; they say nothing of the month's volume.
        accepted = accepted.filter(pl.col("supplements").is_null())
    return _Job(
        lake=lake,
        deliveries=ledger,
        feeds=feeds,
        checks=resolve_feed_checks(feeds, catalogue),
        catalogue=catalogue,
        reference=Reference(feeds, in_force, persons),
        kept=_kept(ledger, reference),
        pairs=pairs_with_past(accepted, accepted, catalogue.over_time["history"]),
        as_of=as_of,
    )


def _kept(ledger: pl.DataFrame, reference: Path) -> pl.DataFrame | None:
    """Quarantined rows by delivery and rule, as kept and as the ledger states them."""
    quarantined = _optional(reference / "quarantine_row.parquet")
    stated = ledger.filter(pl.col("status").is_in(["accepted", "held"]))
    return None if quarantined is None else kept_by_rule(stated, quarantined)


def _ledger(deliveries: pl.DataFrame) -> pl.DataFrame:
    """The ledger with received_at as local time: due days are days of the city."""
    dtype = deliveries.schema["received_at"]
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        received = pl.col("received_at").dt.convert_time_zone(ZONE_NAME).dt.replace_time_zone(None)
        return deliveries.with_columns(received_at=received)
    return deliveries


def _optional(path: Path) -> pl.DataFrame | None:
    return pl.read_parquet(path) if path.is_file() else None


def _due(deliveries: pl.DataFrame, fingerprints: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Accepted deliveries without results, or whose checks, past or counterparts changed; held ones without results."""
    done = known.select("delivery_id", "fingerprint").drop_nulls().unique()
    unchanged = fingerprints.join(done, on=["delivery_id", "fingerprint"], how="semi")["delivery_id"]
    # What held a delivery stays on record: its rows have left the lake since.
    seen = done["delivery_id"].implode()
    accepted = (pl.col("status") == "accepted") & ~pl.col("delivery_id").is_in(unchanged.implode())
    held = (pl.col("status") == "held") & ~pl.col("delivery_id").is_in(seen)
    return deliveries.filter(accepted | held)


def _fingerprints(job: _Job) -> pl.DataFrame:
    """delivery_id, fingerprint: changes with the checks, the past, and the other feeds' deliveries in force."""
    counterparts = _counterparts(job)
    past = job.pairs.group_by("delivery_id").agg(past=pl.col("past_id").sort())
    joined = job.deliveries.filter(pl.col("status").is_in(["accepted", "held"])).join(
        past, on="delivery_id", how="left"
    )
    rows = []
    for row in joined.select("delivery_id", "feed", "period", "past").iter_rows(named=True):
        parts = [job.catalogue.text, job.feeds[row["feed"]].version, *(row["past"] or [])]
        parts += counterparts.get((row["feed"], row["period"]), [])
        digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
        rows.append((row["delivery_id"], digest.translate(DIGITS_AS_LETTERS)))
    return pl.DataFrame(rows, schema={"delivery_id": pl.String, "fingerprint": pl.String}, orient="row")


def _counterparts(job: _Job) -> dict[tuple[str, str], list[str]]:
    """For each feed and period the deliveries of other feeds that its checks look into."""
    found: dict[tuple[str, str], list[str]] = {}
    if job.reference.in_force is None:
        return found
    pairs = {(check.subject, str(check.options["other"])) for check in job.checks if "other" in check.options}
    periods = job.deliveries["period"].drop_nulls().unique().to_list()
    known = {
        other: job.reference.in_force.deliveries(job.feeds[other], periods, same_month=False)
        for other in {other for _, other in pairs if other in job.feeds}
    }
    for subject, other in sorted(pairs):
        if other in known:
            for period, group in known[other].group_by("period", maintain_order=True):
                found.setdefault((subject, str(period[0])), []).extend(group["delivery_id"])
    return found


def _validate_feed(
    job: _Job, name: str, due: pl.DataFrame, measures: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Counts, failing rows and measures of one feed's due deliveries; measures of its past too where unknown."""
    feed, checks = job.feeds[name], job.of_feed(name)
    accepted = due.filter(pl.col("status") == "accepted")
    counts, failing, fresh = [], [pl.DataFrame(schema=FAILING_ROW_SCHEMA)], []
    for batch in batches(accepted):
        ids = batch["delivery_id"].to_list()
        received = batch.select("delivery_id", received_on=pl.col("received_at").dt.date())
        rows = scan_deliveries(job.lake, feed, ids).collect().join(received, on="delivery_id", how="left")
        fresh.append(measure_deliveries(rows, checks, ids))
        result = check_rows(name, prepared(rows, checks, job.reference), checks, within=("delivery_id", "period"))
        counts += [result.counts, _quiet(batch, rows, checks)]
        failing.append(result.failing)
    fresh.append(_measures_of_past(job, feed, checks, accepted, pl.concat([measures, *fresh])))
    return pl.concat([*counts, _no_counts()], how="diagonal_relaxed"), pl.concat(failing), pl.concat(fresh)


def _quiet(batch: pl.DataFrame, rows: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """A delivery without rows: each check of rows is answered, as not applicable."""
    quiet = batch.join(rows, on="delivery_id", how="anti").select("delivery_id", "period")
    ids = [check.check_id for check in checks if check.kind in ROW_KINDS]
    zero = pl.lit(0, pl.Int64)
    return quiet.join(pl.DataFrame({"check_id": ids}), how="cross").with_columns(numerator=zero, denominator=zero)


def _no_counts() -> pl.DataFrame:
    schema = {"check_id": pl.String, "delivery_id": pl.String, "period": pl.String}
    return pl.DataFrame(schema={**schema, "numerator": pl.Int64, "denominator": pl.Int64})


def _measures_of_past(
    job: _Job, feed: Feed, checks: Sequence[Check], due: pl.DataFrame, known: pl.DataFrame
) -> pl.DataFrame:
    past = job.pairs.join(due, on="delivery_id", how="semi").select(delivery_id="past_id").unique()
    unknown = past.join(known, on="delivery_id", how="anti")["delivery_id"].sort().to_list()
    if not unknown:
        return pl.DataFrame(schema=MEASURE_SCHEMA)
    return measure_deliveries(scan_deliveries(job.lake, feed, unknown).collect(), checks, unknown)


def _numbers(job: _Job, name: str, due: pl.DataFrame, measures: pl.DataFrame) -> list[pl.DataFrame]:
    checks = job.of_feed(name)
    accepted = due.filter(pl.col("status") == "accepted")
    pairs = job.pairs.join(accepted, on="delivery_id", how="semi")
    ids = pl.concat([accepted.select("delivery_id"), pairs.select(delivery_id="past_id")]).unique()
    known = measures.join(ids, on="delivery_id", how="semi")
    parts = ledger_numbers(due, checks, {name: job.feeds[name]})
    parts += lake_numbers(accepted, checks, known)
    of_feed = job.deliveries.filter(pl.col("feed") == name, pl.col("status") == "accepted")
    (lateness,) = (check for check in checks if check.kind == "lateness_steady")
    days = arrival_days(of_feed, lateness.options["backlog_months"]).join(ids, on="delivery_id", how="semi")
    known = pl.concat([known, days.select(known.columns)])
    parts += steady_numbers(accepted, known, pairs, checks, job.catalogue.over_time)
    if job.kept is not None:
        parts.append(quarantine_numbers(due, checks, job.kept))
    return parts


def _unread_quarantine(job: _Job, due: pl.DataFrame) -> list[pl.DataFrame]:
    """Without the list of quarantined rows their reconciliation could not run."""
    if job.kept is not None:
        return []
    ids = [(check.subject, check.check_id) for check in job.checks if check.kind == "quarantine_equals_ledger"]
    checks = pl.DataFrame(ids, schema={"feed": pl.String, "check_id": pl.String}, orient="row")
    return [due.join(checks, on="feed").select("check_id", "delivery_id", "period", numerator=None, denominator=None)]


def publish_checks(reference: Path, checks: Sequence[Check]) -> None:
    """Write the catalogue beside the results, in place of what it said of the same feeds and tables."""
    path = reference / store.CHECK_FILE
    others = store.read_table(path, CHECK_SCHEMA)
    fresh = checks_frame(tuple(checks))
    kept = others.join(fresh, on="feed_or_table", how="anti")
    store.write_table(pl.concat([kept, fresh]), path)
