"""A home copied and brought back into an empty folder is the same home; what is damaged or half there never is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion import Ledger, ingest
from ingestion.database import Address, write_address
from models.contract import load_feeds
from orchestration.cli import app
from orchestration.console import CommandError
from orchestration.feeds.quarantine import quarantined_rows
from orchestration.home.backup import back_up, restore
from orchestration.home.copy_place import CopyPlace
from orchestration.home.outputs import record_lists
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of
from orchestration.trail.audit import verify
from tests.ingestion.conftest import NOW, City

SECRETS = ("ZHAOREN_PSEUDONYM_KEY", "ZHAOREN_VAULT_KEY")


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    """A home with an accepted delivery, a row in quarantine, a list that is logged, a published generation."""
    (tmp_path / "city").mkdir()
    city, home = City(tmp_path / "city"), DataHome(tmp_path / "live").create()
    city.put("death_record", city.rows("death_record", 40, died_on="31.31.2023"))
    (taken,) = ingest(city.inbox, store_of(home), load_feeds(), NOW)
    assert (taken.status, taken.rows_quarantined) == ("accepted", 1)
    listed = home.outputs / "2023-03" / "名单.xlsx"
    listed.parent.mkdir()
    listed.write_bytes(b"list")
    record_lists(home, "township lists", date(2023, 3, 1), [listed], 5)
    generation = home.root / "generations" / "1"
    generation.mkdir(parents=True)
    (generation / "a.parquet").write_bytes(b"a")
    home.published.symlink_to("generations/1")
    (home.dagster / "history.db").write_bytes(b"made anew")
    return home


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CopyPlace:
    """A place of copies of each kind."""
    if request.param == "folder":
        return CopyPlace.open(str(tmp_path / "copies"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "forTests")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    endpoint = request.getfixturevalue("s3_endpoint")
    with pytest.raises(CommandError, match="cannot be reached"):
        CopyPlace.open("s3://nowhere/x", endpoint, "us-east-1")
    import boto3
    from botocore.config import Config

    bucket = f"b{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(proxies={}))
    client.create_bucket(Bucket=bucket)
    return CopyPlace.open(f"s3://{bucket}/huarong", endpoint, "us-east-1")


def tree(home: DataHome) -> dict[str, str]:
    """Every file by its digest; not what is never copied."""
    left_out = {"dagster", "dbt", "secrets", "ledger.db", "operations.db"}
    return {
        str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file() and path.relative_to(home.root).parts[0] not in left_out and path.suffix != ".lock"
    }


def keys_from(home: DataHome, to: DataHome) -> None:
    to.keys.parent.mkdir(parents=True)
    to.keys.write_bytes(home.keys.read_bytes())
    to.keys.chmod(0o600)


def test_what_comes_back_into_an_empty_home_is_the_same(home: DataHome, place: CopyPlace, tmp_path: Path) -> None:
    done = back_up(home, place)
    back = DataHome(tmp_path / "empty" / "home")
    keys_from(home, back)
    assert restore(back, place).records == done.records
    assert tree(back) == tree(home)
    assert back.published.is_symlink()
    assert verify(back).is_whole
    assert ledger_of(back).frame().equals(ledger_of(home).frame())
    assert quarantined_rows(back, None, None, every=True).equals(quarantined_rows(home, None, None, every=True))
    told = CliRunner().invoke(app, ["--home", str(back.root), "audit", "verify", "--files"])
    assert told.exit_code == 0, told.output
    with pytest.raises(CommandError, match="is not empty"):
        restore(back, place)


def test_only_what_is_new_is_carried_and_old_copies_go(home: DataHome, place: CopyPlace) -> None:
    first = back_up(home, place)
    second = back_up(home, place, without=["outputs"])
    assert second.carried <= len(second.records), "records are copied anew, files are not"
    assert second.files == first.files - 1
    assert len(place.generations()) == 2
    lone = next(file[1] for file in place.manifest(first.generation)["files"] if file[0].startswith("outputs/"))
    assert lone in place.objects()
    back_up(home, place, without=["outputs"], keep=1)
    assert len(place.generations()) == 1
    assert lone not in place.objects()
    with pytest.raises(FileExistsError):
        place.commit(place.generations()[0], {})


def test_no_key_is_in_a_copy(home: DataHome, place: CopyPlace) -> None:
    back_up(home, place)
    names = [file[0] for file in place.manifest(place.generations()[-1])["files"]]
    assert any(name.startswith("lake/") for name in names)
    assert not [name for name in names if "secrets" in name or name.startswith("dagster")]
    assert hashlib.sha256(home.keys.read_bytes()).hexdigest() not in place.objects()


def test_a_copy_that_was_cut_short_or_damaged_never_becomes_a_home(
    home: DataHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, empty = CopyPlace.open(str(tmp_path / "copies")), DataHome(tmp_path / "empty")
    with monkeypatch.context() as patch:
        patch.setattr(CopyPlace, "commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            back_up(home, place)
    assert place.objects()
    with pytest.raises(CommandError, match="no such copy"):
        restore(empty, place)
    assert not list(home.root.glob(".copied_records"))
    back_up(home, place)
    name = next(file[1] for file in place.manifest(place.generations()[0])["files"] if file[0].startswith("vault/"))
    (tmp_path / "copies" / "objects" / name[:2] / name).write_bytes(b"other")
    with pytest.raises(CommandError, match="damaged"):
        restore(empty, place)
    assert not empty.vault.exists()
    assert not empty.ledger.exists()


def test_from_one_machine_into_a_database_and_back(home: DataHome, address: Address, tmp_path: Path) -> None:
    place = CopyPlace.open(str(tmp_path / "copies"))
    before = back_up(home, place).records
    cluster = DataHome(tmp_path / "cluster")
    cluster.root.mkdir()
    write_address(cluster.root, address)
    keys_from(home, cluster)
    assert restore(cluster, place).records == before
    assert not cluster.ledger.exists()
    assert verify(cluster).is_whole
    assert back_up(cluster, place).records == before
    alone = DataHome(tmp_path / "alone")
    keys_from(home, alone)
    assert restore(alone, place).records == before
    with Ledger(alone.ledger) as one, Ledger(home.ledger) as two:
        assert one.frame().equals(two.frame())


def test_readers_fetch_a_folder_alone(home: DataHome, tmp_path: Path) -> None:
    place, reader = CopyPlace.open(str(tmp_path / "copies")), DataHome(tmp_path / "reader")
    back_up(home, place)
    assert restore(reader, place, only=["outputs"]).files == 1
    assert [path.name for path in reader.root.iterdir()] == ["outputs"]


def test_the_commands(home: DataHome, tmp_path: Path) -> None:
    home.settings_file.write_text(f'[backup]\nto = "{tmp_path}/copies"\n', encoding="utf-8")
    call = CliRunner().invoke
    told = call(app, ["--home", str(home.root), "backup"])
    assert told.exit_code == 0, told.output
    assert "keys are not in it" in told.output
    told = call(app, ["--home", str(tmp_path / "new"), "restore", "--from", str(tmp_path / "copies")])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "new" / "zhaoren.toml").is_file()
