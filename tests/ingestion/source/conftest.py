"""Places of each kind that tests put deliveries into, and the data homes that fetch them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter

from ingestion import Delivery, Ledger, Store, ingest
from ingestion.keys import Keys
from ingestion.source import FetchReport, Source, Sources, fetch, take_in
from models.contract import load_feeds
from tests.ingestion.source.servers import PASSWORD, USER, BreakingLine, SftpServer

ACCESS_KEY, SECRET_KEY = "AKIDFORTESTS", "hush-S3-4711"
ARRIVED = datetime(2023, 4, 10, 1, 0, tzinfo=UTC)
# An object bears the time of its upload: everything there has settled by then.
NOW = datetime.now(UTC) + timedelta(days=1)
BUCKET = "city"


def source_of(**keys: Any) -> Source:
    """A source as ``zhaoren.toml`` would describe it."""
    return TypeAdapter(Sources).validate_python([keys])[0]


@dataclass
class Home:
    """A data home with the same keys as every other one of the tests."""

    folder: Path
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.folder, Keys(b"p" * 32, b"v" * 32))

    def fetch(self, source: Source, now: datetime = NOW) -> FetchReport:
        return fetch(source, self.folder, now, self.pauses.append)

    def take_in(self, source: Source, now: datetime = NOW) -> list[Delivery]:
        return take_in(source.name, self.store, load_feeds(), now, keep_rejected_days=source.keep_rejected_days)

    def run(self, source: Source, now: datetime = NOW) -> list[Delivery]:
        """Fetch, which must succeed, and take in."""
        report = self.fetch(source, now)
        assert report.problem is None, report
        return self.take_in(source, now)

    def ingest(self, inbox: Path, now: datetime = NOW) -> list[Delivery]:
        return ingest(inbox, self.store, load_feeds(), now)

    def ledger(self) -> list[dict[str, Any]]:
        """The ledger without the times of ingestion, by feed and file."""
        with Ledger(self.store.ledger_file) as ledger:
            frame = ledger.frame().drop("ingested_at")
        return frame.sort("feed", "file_name", "delivery_id").to_dicts()

    def lake(self) -> dict[str, bytes]:
        """Every file of accepted rows, byte for byte."""
        files = self.store.lake.rglob("period=*/*.parquet")
        return {str(path.relative_to(self.store.lake)): path.read_bytes() for path in files}

    def rows(self, delivery: Delivery) -> pl.DataFrame:
        return pl.read_parquet(self.store.lake_file(delivery.feed, str(delivery.period), delivery.delivery_id))

    def landed(self) -> list[str]:
        root = self.folder / "landing"
        return sorted(str(path.relative_to(root)) for path in root.glob("[a-z]*/*/*"))


@dataclass
class Place:
    """Somewhere with folders of files, and how it is described."""

    kind: str
    put_bytes: Callable[[str, bytes, datetime], None]
    keys: dict[str, Any]

    def put(
        self, feed: str, name: str, data: bytes, sidecar: Mapping[str, Any] | None = None, arrived: datetime = ARRIVED
    ) -> None:
        self.put_bytes(f"{feed}/{name}", data, arrived)
        if sidecar is not None:
            self.put_bytes(f"{feed}/{name}.manifest.json", json.dumps(sidecar).encode(), arrived)

    def source(self, **keys: Any) -> Source:
        return source_of(name="office", kind=self.kind, **{**self.keys, **keys})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture(autouse=True)
def proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers nothing: whoever asks it for loopback fails."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The folder of a department, outside of any data home."""
    folder = tmp_path / "office"
    folder.mkdir()
    return folder


def into_folder(root: Path) -> Callable[[str, bytes, datetime], None]:
    """Puts files below a folder, with the time given."""

    def put(path: str, data: bytes, arrived: datetime) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, (arrived.timestamp(), arrived.timestamp()))

    return put


@pytest.fixture
def directory(office: Path) -> Place:
    return Place("directory", into_folder(office), {"path": str(office)})


@pytest.fixture
def sftp_server(office: Path) -> Iterator[SftpServer]:
    server = SftpServer(office)
    yield server
    server.close()


@pytest.fixture
def sftp(office: Path, sftp_server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("OFFICE_PASSWORD", PASSWORD)
    known = sftp_server.known_hosts(tmp_path / "known_hosts")
    url = f"sftp://{USER}@127.0.0.1:{sftp_server.port}/"
    keys = {"url": url, "known_hosts": str(known), "password_env": "OFFICE_PASSWORD", "timeout_seconds": 10}
    return Place("sftp", into_folder(office), keys)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[int]:
    """The port of an S3 server on loopback."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture
def s3_bucket(s3_server: int) -> Any:
    """The client of an empty bucket."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3_server}",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(proxies={}),
    )
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    return client


@pytest.fixture
def s3(s3_server: int, s3_bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("OFFICE_KEY", ACCESS_KEY)
    monkeypatch.setenv("OFFICE_SECRET", SECRET_KEY)

    def put(path: str, data: bytes, _arrived: datetime) -> None:
        s3_bucket.put_object(Bucket=BUCKET, Key=f"out/{path}", Body=data)

    keys = {
        "url": f"s3://{BUCKET}/out",
        "endpoint": f"http://127.0.0.1:{s3_server}",
        "access_key_env": "OFFICE_KEY",
        "secret_key_env": "OFFICE_SECRET",
        "timeout_seconds": 10,
    }
    return Place("s3", put, keys)


@pytest.fixture(params=["directory", "s3", "sftp"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place in turn."""
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def breaking() -> Iterator[Callable[[int, int, int], int]]:
    """Makes a line to a port that breaks; gives its port."""
    lines: list[BreakingLine] = []

    def line(port: int, after_bytes: int, breaks: int) -> int:
        lines.append(BreakingLine(port, after_bytes, breaks))
        return lines[-1].port

    yield line
    for item in lines:
        item.close()
