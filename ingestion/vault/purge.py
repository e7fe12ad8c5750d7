"""Deleting the identities of persons past retention, everywhere in a data home, with a certificate.

Belongs here: what is deleted from which file, as one change. Does not belong here: who is past retention
(``retention``), what the certificate says (``certificate``).

Pseudonymous rows (lake, warehouse) stay in every class: what was paid and counted must still add up. What goes is the
way from a person key to a person: vault rows, raw rows in quarantine, deliveries that never got further than the
landing. Inbox, handed-out lists and backups are not of the vault; the certificate says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from ingestion.change import Change, changing
from ingestion.in_force import delivery_validity
from ingestion.ledger import Ledger
from ingestion.linkage.events import IdentityEvents
from ingestion.linkage.proposals import proposals_file
from ingestion.linkage.resolve import resolved
from ingestion.parse_identity import parse_id
from ingestion.pseudonym import pseudonyms
from ingestion.statement import period_of
from ingestion.store import Store
from ingestion.vault.certificate import Certificate, certificate_paths, next_number, write_certificate
from ingestion.vault.former import Former
from ingestion.vault.hold import Holds
from ingestion.vault.lookup import INDEX_FOLDER, Vault
from ingestion.vault.retention import Verdict, deaths_known, month_number, period_number, verdict
from ingestion.vault.tombstone import Tombstones
from models.policy.retention import RetentionClass, RetentionPolicy

LEGAL_HOLD, OPEN_ALERT = "legal_hold", "open_alert"
_ID = "[0-9]{17}[0-9Xx]|[0-9]{15}"
# Certificate numbers of disabled people go on with the digits of category and grade.
_ID_IN_TEXT = rf"(?:^|[^0-9])(?:{_ID})(?:[1-7][1-4])?(?:$|[^0-9Xx])"
_ROWS = ".rows.parquet"


@dataclass(frozen=True)
class PurgeOrder:
    """What is asked for: by which policy, as of which day, who asked and why, whom else to keep (by reason)."""

    policy: RetentionPolicy
    as_of: date
    who: str
    reason: str
    now: datetime
    protected: Mapping[str, pl.Series] = field(default_factory=dict)


@dataclass
class Purged:
    """What was found to delete, file by file; ``files`` are (path from the home, SHA-256 before, after or None)."""

    verdict: Verdict
    gone: pl.Series
    counts: list[dict[str, object]] = field(default_factory=list)
    files: list[dict[str, str | None]] = field(default_factory=list)
    identities: list[pl.DataFrame] = field(default_factory=list)


def purge(store: Store, order: PurgeOrder, *, dry_run: bool = False) -> Certificate | None:
    """Delete what is past retention; the certificate, None where nothing is. A dry run changes nothing."""
    if order.as_of < order.policy.valid_from:
        raise ValueError(f"the policy {order.policy.name} holds from {order.policy.valid_from} on")
    with changing(store.home) as change:
        purged = _Sifting(store, order, _verdict(store, order), change).sift()
        if not purged.files:
            return None
        certificate = _certificate(store, order, purged)
        if not dry_run:
            _commit(store, order, purged, certificate, change)
        return certificate


def _verdict(store: Store, order: PurgeOrder) -> Verdict:
    with Ledger(store.ledger_file) as ledger:
        deliveries = ledger.deliveries(status="accepted")
    spans, deaths = Vault(store).spans(), deaths_known(store, deliveries, order.policy)
    protected = {LEGAL_HOLD: Holds(store).in_force(), **order.protected}
    # Keys that are one person by somebody's decision stay or go together.
    persons = {key: person for key, (person, _) in resolved(IdentityEvents(store).all()).items()}
    found = verdict(
        _as_persons(spans, persons),
        deliveries,
        delivery_validity(deliveries),
        _as_persons(deaths, persons),
        order.policy,
        order.as_of,
        {why: keys.cast(pl.String).replace(persons) for why, keys in protected.items()},
    )
    members = spans.select(pl.col("person_key").unique().alias("member"))
    members = members.with_columns(person_key=pl.col("member").replace(persons))
    return Verdict(*(_as_keys(part, members) for part in (found.due, found.kept)))


def _as_persons(frame: pl.DataFrame, persons: Mapping[str, str]) -> pl.DataFrame:
    return frame.with_columns(pl.col("person_key").replace(persons))


def _as_keys(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Every key of each person, in the columns of the verdict."""
    keys = frame.join(members, on="person_key").with_columns(person_key="member").drop("member")
    return keys.sort("person_key", "class")


class _Sifting:
    """Goes through the files of a home and stages what is left of them."""

    def __init__(self, store: Store, order: PurgeOrder, found: Verdict, change: Change) -> None:
        self._store = store
        self._order = order
        self._change = change
        self._kept = _kept_keys(store, order, found)
        self._purged = Purged(found, _without_rest(store, order.policy, found.due))
        with Ledger(store.ledger_file) as ledger:
            self._accepted = {item.delivery_id for item in ledger.deliveries(status="accepted")}

    def sift(self) -> Purged:
        """Every file of every class."""
        store, found = self._store, self._purged.verdict
        for item in self._order.policy.classes:
            due = found.due.filter(pl.col("class") == item.name)["person_key"]
            for feed in item.feeds:
                for path in sorted((store.vault / feed).glob("*.parquet")):
                    self._vault_file(path, item, due)
                for path in sorted((store.quarantine / feed).glob(f"*{_ROWS}")):
                    self._raw_file(path, item, due)
                for path in sorted((store.home / "landing").glob(f"*/{feed}/*")):
                    if self._is_past(path, item):
                        self._drop(path)
        return self._purged

    def _is_past(self, path: Path, item: RetentionClass) -> bool:
        """Whether the data month in a file's name is past retention by itself."""
        period = period_of(path.name)
        if period is None:
            return False
        return period_number(period) + item.after_last_appearance < month_number(self._order.as_of)

    def _vault_file(self, path: Path, item: RetentionClass, due: pl.Series) -> None:
        """Rows of persons past retention; of a delivery past it also rows of nobody, and all of one never accepted."""
        is_past, is_accepted = self._is_past(path, item), path.stem in self._accepted
        if is_accepted and not is_past and not len(due):
            return
        key = pl.col("person_key")
        goes = key.is_in(due.implode()).fill_null(is_past)
        if not is_accepted:
            goes = goes | key.is_in(self._purged.gone.implode()).fill_null(False)
            goes = goes | (pl.lit(is_past) & ~key.is_in(self._kept.implode()).fill_null(False))
        if not self._store.encrypted.read(path, ["person_key"]).select(goes.any()).item():
            return
        rows = self._store.encrypted.read(path)
        deleted, feed = rows.filter(goes), path.parent.name
        self._purged.identities.append(deleted.select("person_key", "id_number", pl.lit(feed).alias("feed")))
        self._count(item, feed, path.stem, identity_rows=deleted.height)
        self._replace(path, rows.filter(~goes))

    def _raw_file(self, path: Path, item: RetentionClass, due: pl.Series) -> None:
        """Raw rows in which a person past retention is named; of a delivery past it all but those of persons kept."""
        is_past = self._is_past(path, item)
        if not is_past and not len(due):
            return
        rows = self._store.encrypted.read(path).with_row_index("at")
        named = _persons_in(self._store, rows)
        wanted, spared = (named.filter(pl.col("person_key").is_in(keys.implode()))["at"] for keys in (due, self._kept))
        goes = pl.lit(is_past) & ~pl.col("at").is_in(spared.implode()) | pl.col("at").is_in(wanted.implode())
        deleted = rows.filter(goes).height
        if not deleted:
            return
        delivery_id = path.name.removesuffix(_ROWS)
        self._count(item, path.parent.name, delivery_id, quarantined_rows=deleted)
        self._replace(path, rows.filter(~goes).drop("at"))
        cells = path.with_name(f"{delivery_id}.cells.parquet")
        if is_past and cells.exists():
            self._drop(cells)

    def _count(self, item: RetentionClass, feed: str, delivery_id: str, **rows: int) -> None:
        known = {"identity_rows": 0, "quarantined_rows": 0, **rows}
        self._purged.counts.append({"class": item.name, "feed": feed, "delivery_id": delivery_id, **known})

    def _replace(self, path: Path, rest: pl.DataFrame) -> None:
        if rest.is_empty():
            self._drop(path)
            return
        staged = self._change.stage(path)
        self._store.encrypted.write(rest, staged)
        self._list(path, sha256_of(staged))

    def _drop(self, path: Path) -> None:
        self._change.delete(path)
        self._list(path, None)

    def _list(self, path: Path, after: str | None) -> None:
        name = path.relative_to(self._store.home)
        # A landing holds files under the names that departments gave them, which may say anything.
        said = str(name) if name.parts[0] != "landing" else str(name.parent)
        self._purged.files.append({"file": said, "sha256_before": sha256_of(path), "sha256_after": after})


def _without_rest(store: Store, policy: RetentionPolicy, due: pl.DataFrame) -> pl.Series:
    """Persons of whom nothing stays in any class."""
    classes = {feed: item.name for item in policy.classes for feed in item.feeds}
    spans = Vault(store).spans().select("person_key", pl.col("feed").replace(classes).alias("class")).unique()
    rest = spans.join(due, on=["person_key", "class"], how="anti")["person_key"]
    return due.filter(~pl.col("person_key").is_in(rest.implode()))["person_key"].unique().sort()


def _kept_keys(store: Store, order: PurgeOrder, found: Verdict) -> pl.Series:
    """Persons who are kept for a reason, whatever the age of a row about them."""
    named = [Holds(store).in_force(), *order.protected.values(), found.kept["person_key"]]
    return pl.concat([item.cast(pl.String).alias("person_key") for item in named]).unique()


def _persons_in(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """at and person_key of each valid ID number that stands in a raw row."""
    texts = rows.select("at", pl.col("raw").str.extract_all(_ID_IN_TEXT).alias("found")).explode("found").drop_nulls()
    bare = texts["found"].str.extract(f"({_ID})").str.to_uppercase()
    numbers = parse_id(bare, date.max).value
    keys = pseudonyms(numbers, store.keys.pseudonym, store.algorithm)
    return texts.select("at", keys.alias("person_key")).drop_nulls()


def _certificate(store: Store, order: PurgeOrder, purged: Purged) -> Certificate:
    due, kept = purged.verdict.due, purged.verdict.kept
    keys = due["person_key"].unique().sort().to_list()
    number, previous = next_number(store.vault)
    return Certificate(
        number=number,
        previous_sha256=previous,
        issued_at=order.now.isoformat(timespec="seconds"),
        who=order.who,
        reason=order.reason,
        as_of=order.as_of.isoformat(),
        policy=order.policy.name,
        policy_version=order.policy.version,
        persons=len(keys),
        persons_without_rest=len(purged.gone),
        person_keys_sha256=hashlib.sha256("\n".join(keys).encode()).hexdigest(),
        persons_by_class=dict(sorted(due.group_by("class").len().iter_rows())),
        kept_by_reason=dict(sorted(kept.group_by("why").agg(pl.col("person_key").n_unique()).iter_rows())),
        rows=tuple(purged.counts),
        files=tuple(purged.files),
    )


def _commit(store: Store, order: PurgeOrder, purged: Purged, certificate: Certificate, change: Change) -> None:
    """Everything in one change; the certificate comes into place last, when all else is gone."""
    deleted = pl.concat([pl.DataFrame(schema=_DELETED), *purged.identities])
    tombstones, former = Tombstones(store), Former(store)
    marks = tombstones.next_file()
    tombstones.write(deleted, f"{order.as_of:%Y-%m}", change.stage(marks))
    former.add(deleted, purged.gone, change.stage(former.file))
    change.delete(store.vault / INDEX_FOLDER)
    # Proposals name persons; they are found anew from what is left.
    change.delete(proposals_file(store).parent)
    for path, text in write_certificate(certificate, order.policy):
        staged = change.stage(certificate_paths(store.vault, certificate.number) / path)
        staged.write_text(text, encoding="utf-8")
    change.commit()


_DELETED = {"person_key": pl.String(), "id_number": pl.String(), "feed": pl.String()}


def sha256_of(path: Path) -> str:
    """Digest of a file as it lies there."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def counted(certificate: Certificate) -> Iterator[dict[str, object]]:
    """Rows deleted by class and feed, for people."""
    frame = pl.DataFrame(list(certificate.rows), infer_schema_length=None)
    if frame.is_empty():
        return
    totals = frame.group_by("class", "feed").agg(
        pl.col("delivery_id").n_unique().alias("deliveries"), pl.col("identity_rows", "quarantined_rows").sum()
    )
    yield from totals.sort("class", "feed").iter_rows(named=True)
