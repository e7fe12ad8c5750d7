"""The vault of a million people: keeping them, looking up one, a thousand and all, deleting, new keys.

Belongs here: the measurement, and the old way of looking up (every delivery file read whole) to measure against. Run:
``.venv/bin/python -m benchmarks.vault [--people N] [--months N]``. Seconds are CPU seconds of the process.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.ingest_gb18030 import FEED, make_file
from ingestion import Delivery, Ledger, Store, Vault, ingest
from ingestion.keys import Keys
from ingestion.pseudonym import identity_keys
from ingestion.table import ROW_NUMBER
from ingestion.vault.purge import PurgeOrder, purge
from ingestion.vault.rotation import rotate_pseudonyms, rotate_vault_key
from models.contract import load_feeds
from models.policy.retention import load_retention

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NEXT = {"ZHAOREN_PSEUDONYM_KEY_NEXT": "n" * 64, "ZHAOREN_VAULT_KEY_NEXT": "v" * 64}


def timed(what: str, work: Callable[[], Any], note: str = "") -> Any:
    """Do it and say what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{what:58} {cpu:8.2f} s CPU {wall:8.2f} s wall {note}", flush=True)
    return result


def people_of(count: int, month: int) -> pl.DataFrame:
    """Accepted rows of a population register: valid numbers, an address that a tenth change each month."""
    at = pl.int_range(count, eager=True)
    frame = pl.DataFrame({"at": at}).with_columns(
        first=pl.format(
            "{}{}{}",
            (pl.col("at") // 5_000_000 + 420_102).cast(pl.String),
            (pl.date(1940, 1, 1) + pl.duration(days=pl.col("at") % 29_000)).dt.strftime("%Y%m%d"),
            (pl.col("at") // 29_000).cast(pl.String).str.zfill(3),
        )
    )
    moved = pl.when(pl.col("at") % 10 == month % 10).then(month).otherwise(0)
    columns = {column.name: pl.lit(None, pl.String) for column in load_feeds()[FEED].columns}
    return frame.select(
        (pl.col("at") + 2).alias(ROW_NUMBER),
        **columns
        | {
            "id_number": pl.col("first") + "X",
            "name": pl.format("张{}", pl.col("at") % 3000),
            "phone": pl.format("139{}", pl.col("at").cast(pl.String).str.zfill(8)),
            "address": pl.format("长江路{}号{}", pl.col("at") % 5000, moved),
        },
    )


def keep_month(store: Store, count: int, month: int) -> list[str]:
    """Keep one monthly register; the person keys."""
    feed = load_feeds()[FEED]
    rows = people_of(count, month)
    delivery_id = f"{FEED}.2029-{month:02d}.{'abcdefghijkl'[month - 1]}"
    keys = timed(f"month {month}: pseudonyms", lambda: identity_keys(rows, feed, store.keys.pseudonym, "sha256"))

    def keep() -> None:
        with Vault(store).writer(feed, delivery_id) as writer:
            for at in range(0, rows.height, 100_000):
                part = rows.slice(at, 100_000)
                writer.add(part, {name: key.slice(at, 100_000) for name, key in keys.items()})

    timed(f"month {month}: kept", keep)
    entry = Delivery(
        delivery_id=delivery_id,
        feed=FEED,
        mode="snapshot",
        file_name=f"{month}.csv",
        file_key=str(month),
        sha256=str(month),
        statement_key="",
        period=f"2029-{month:02d}",
        division=None,
        status="accepted",
        received_at=NOW,
        ingested_at=NOW,
    )
    with Ledger(store.ledger_file) as ledger:
        ledger.record(entry)
    return keys["id_number"].to_list()


def look_up_as_before(store: Store, keys: list[str]) -> pl.DataFrame:
    """Every delivery file read whole, the newest of each fact (the way before there was an index)."""
    wanted = pl.Series("person_key", keys).unique()
    parts = [
        store.encrypted.read(path)
        .filter(pl.col("person_key").is_in(wanted.implode()))
        .with_columns(place=pl.lit(place))
        for place, path in enumerate(sorted(store.vault.glob(f"{FEED}/*.parquet")))
    ]
    facts = [pl.col(name).drop_nulls().last() for name in ("id_number", "name", "phone", "address")]
    ordered = pl.concat(parts).sort("place", ROW_NUMBER)
    return ordered.group_by("person_key").agg(facts).sort("person_key")


def look_ups(store: Store, keys: list[str]) -> None:
    """One, a thousand and all, before and now; both must say the same."""
    vault = Vault(store)
    for wanted in (keys[:1], keys[:: max(1, len(keys) // 1000)], keys):
        before = timed(f"look up {len(wanted)}: as before", lambda wanted=wanted: look_up_as_before(store, wanted))
        now = timed(f"look up {len(wanted)}: with the index", lambda wanted=wanted: vault.identities(wanted))
        assert before.equals(now)
    timed("everybody with all facts", vault.people)
    timed("person keys published", lambda: vault.publish_person_keys(store.reference / "person_key.parquet"))


def share_of_ingestion(rows: int) -> None:
    """Pseudonyms and vault against the whole of taking a file of as many rows in."""
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder) / "inbox"
        path = inbox / FEED / "户籍人口_202912.csv"
        path.parent.mkdir(parents=True)
        make_file(path, rows)
        os.utime(path, (1_893_000_000, 1_893_000_000))
        store = Store(Path(folder) / "home", Keys(b"p" * 32, b"v" * 32))
        (taken,) = timed(f"{rows} rows taken in, all of it", lambda: ingest(inbox, store, load_feeds(), NOW))
        assert taken.status == "accepted"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=3)
    arguments = parser.parse_args()
    share_of_ingestion(arguments.people)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Keys(b"p" * 32, b"v" * 32))
        for month in range(1, arguments.months):
            keys = keep_month(store, arguments.people, month)
        timed("index, from nothing", Vault(store).refresh)
        keys = keep_month(store, arguments.people, arguments.months)
        timed("index, one month more", Vault(store).refresh)
        size = sum(path.stat().st_size for path in (store.vault / "index").rglob("*.parquet"))
        whole = sum(path.stat().st_size for path in (store.vault / FEED).glob("*.parquet"))
        print(f"delivery files {whole / 1e6:.0f} MB, index {size / 1e6:.0f} MB")
        look_ups(store, keys)
        order = PurgeOrder(load_retention("standard"), date(2030, 1, 31), "benchmark", "benchmark", NOW)
        timed("purge: nobody is past retention", lambda: purge(store, order))
        store = timed("new vault key", lambda: rotate_vault_key(store, NEXT).store)
        timed("new pseudonym key", lambda: rotate_pseudonyms(store, NEXT))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
