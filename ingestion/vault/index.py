"""The index of the vault: every fact about a person once, with the first and last delivery that said so.

Belongs here: building, checking and reading the compacted copy of the delivery files. Does not belong here: what is
newest (``lookup``). The delivery files stay the truth; the index may be thrown away at any time.

One segment a year of data months, sixteen shards a segment by the first letter of the person key, each sorted by it
in small row groups, so that a look-up reads only the groups in which a key may stand. A manifest a segment, replaced
in one step, names the generation of shards and the delivery files (with size and time) that are in it. A segment one
of whose files has changed or counts no longer is not used.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ingestion.atomic import aside
from ingestion.encryption import EncryptedParquet
from ingestion.table import ROW_NUMBER
from ingestion.vault.rows import FACTS

SHARDS = "abcdefghijklmnop"
# Rows of a row group: few enough that one person is found by reading little, enough that the whole is read fast.
GROUP_ROWS = 8192
# Rows of deliveries held in memory before they are merged into the shards.
BUFFER_ROWS = 3_000_000
SAID = ["person_key", "feed", "role", *FACTS]
ENTRY_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(SAID, pl.String()),
    "first": pl.Int32(),
    "last": pl.Int32(),
    "last_row": pl.Int64(),
}
"""``first`` and ``last`` are ledger sequences of the first and last delivery (by data month) that said it."""


@dataclass(frozen=True)
class Source:
    """A delivery file of the vault: ``place`` is its rank in time, ``sequence`` its number in the ledger."""

    delivery_id: str
    feed: str
    year: str
    sequence: int
    place: int
    path: Path

    def stamp(self) -> list[int]:
        """Size and time of the file: another stamp is another file."""
        status = self.path.stat()
        return [self.sequence, status.st_size, status.st_mtime_ns]


@dataclass(frozen=True)
class Segment:
    """One year of the index that may be used."""

    folder: Path
    delivery_ids: frozenset[str]


class Index:
    """The index in one vault folder."""

    def __init__(self, folder: Path, encrypted: EncryptedParquet) -> None:
        self.folder = folder
        self._encrypted = encrypted

    def refresh(self, sources: Iterable[Source]) -> int:
        """Bring the index up to date with the delivery files; how many of them were read for it."""
        years: dict[str, list[Source]] = {}
        everything = list(sources)
        places = {item.sequence: item.place for item in everything}
        for item in everything:
            years.setdefault(item.year, []).append(item)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            read = sum(self._refresh_year(year, items, places) for year, items in sorted(years.items()))
            for path in self.folder.glob("*.json"):
                if path.stem not in years:
                    path.unlink()
            self._sweep()
        return read

    def usable(self, sources: Iterable[Source]) -> list[Segment]:
        """Segments that say nothing but what these deliveries say, as they now are."""
        by_id = {item.delivery_id: item for item in sources}
        return [
            Segment(self.folder / path.stem / manifest["generation"], frozenset(manifest["covered"]))
            for path in sorted(self.folder.glob("*.json"))
            if (manifest := _read_manifest(path)) and _is_current(manifest, by_id)
        ]

    def read(self, segment: Segment, letter: str, keys: pl.Series | None) -> pl.DataFrame:
        """Entries of a shard, all or those of the (sorted) person keys."""
        path = segment.folder / f"{letter}.parquet"
        if not path.exists():
            return pl.DataFrame(schema=ENTRY_SCHEMA)
        if keys is None:
            return self._encrypted.read(path)
        found = self._encrypted.read_between(path, "person_key", keys)
        return found.filter(pl.col("person_key").is_in(keys.implode()))

    def _refresh_year(self, year: str, items: list[Source], places: Mapping[int, int]) -> int:
        manifest = _read_manifest(self.folder / f"{year}.json")
        is_current = manifest is not None and _is_current(manifest, {item.delivery_id: item for item in items})
        covered = manifest["covered"] if manifest and is_current else {}
        fresh = [item for item in items if item.delivery_id not in covered]
        if not fresh:
            return 0
        # Stamps before reading: a file that changes meanwhile makes the segment unusable, not wrong.
        stamps = {item.delivery_id: item.stamp() for item in fresh}
        generation = str(int(manifest["generation"]) + 1) if manifest else "1"
        target = self.folder / year / generation
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        source = self.folder / year / manifest["generation"] if manifest and is_current else None
        self._merge(fresh, source, target, places)
        with aside(self.folder / f"{year}.json") as pending:
            text = json.dumps({"generation": generation, "covered": {**covered, **stamps}})
            pending.path.write_text(text, encoding="utf-8")
            pending.put_in_place()
        return len(fresh)

    def _merge(self, fresh: list[Source], source: Path | None, target: Path, places: Mapping[int, int]) -> None:
        for batch in _batches(fresh, self._encrypted):
            for letter in SHARDS:
                parts = [batch.filter(pl.col("person_key").str.starts_with(letter))]
                old = None if source is None else source / f"{letter}.parquet"
                if old is not None and old.exists():
                    parts.append(self._encrypted.read(old))
                entries = _compact(pl.concat(parts), places)
                if entries.height:
                    self._encrypted.write(entries, target / f"{letter}.parquet", GROUP_ROWS)
            source = target

    def _sweep(self) -> None:
        """Generations that no manifest names: of before, or cut short."""
        for folder in self.folder.iterdir():
            if folder.is_dir():
                manifest = _read_manifest(self.folder / f"{folder.name}.json")
                for generation in folder.iterdir():
                    if manifest is None or generation.name != manifest["generation"]:
                        shutil.rmtree(generation)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def entries_of(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Rows of a delivery file in the form of the index."""
    return rows.filter(pl.col("person_key").is_not_null()).select(
        "person_key",
        pl.lit(source.feed).alias("feed"),
        "role",
        *FACTS,
        pl.lit(source.sequence, pl.Int32).alias("first"),
        pl.lit(source.sequence, pl.Int32).alias("last"),
        pl.col(ROW_NUMBER).alias("last_row"),
    )


def _batches(fresh: list[Source], encrypted: EncryptedParquet) -> Iterator[pl.DataFrame]:
    parts: list[pl.DataFrame] = []
    for source in fresh:
        parts.append(entries_of(encrypted.read(source.path), source))
        if sum(part.height for part in parts) >= BUFFER_ROWS:
            yield pl.concat(parts)
            parts = []
    if parts:
        yield pl.concat(parts)


def _compact(entries: pl.DataFrame, places: Mapping[int, int]) -> pl.DataFrame:
    """Each thing said of a person once, with the first and the last that said it, sorted by person key."""
    if entries.is_empty():
        return entries
    place = {name: pl.col(name).replace_strict(places, return_dtype=pl.Int32) for name in ("first", "last")}
    if not entries.select(SAID).is_duplicated().any():
        return entries.sort("person_key")
    ordered = entries.with_columns(first_place=place["first"], last_place=place["last"])
    return (
        ordered.sort("last_place", "last_row")
        .group_by(SAID)
        .agg(
            pl.col("first").sort_by("first_place").first(),
            pl.col("last").last(),
            pl.col("last_row").last(),
        )
        .sort("person_key")
        .select(list(ENTRY_SCHEMA))
    )


def _read_manifest(path: Path) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest


def _is_current(manifest: Mapping[str, Any], sources: Mapping[str, Source]) -> bool:
    """Whether every delivery of the segment still counts and its file is as it was read."""
    for delivery_id, stamp in manifest["covered"].items():
        source = sources.get(delivery_id)
        if source is None or source.stamp() != stamp:
            return False
    return True
