"""Sources as the command line and Dagster see them: fetched first, one that fails stops no other, no secret shown."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion.source import Look, Record
from models.contract import load_feeds
from orchestration.assets.sources import fetch_deliveries
from orchestration.automation import inbox_sensor, source_sensor
from orchestration.feeds.sources import due_sources, fetch_sources, take_in_landed, take_in_unusual
from orchestration.home.settings import DataHome, SettingsError
from orchestration.home.stores import ledger_of
from orchestration.resources import HomeResource
from tests.command import zhaoren
from tests.ingestion.conftest import as_csv, good_row

ARRIVED = datetime(2023, 4, 10, 1, 0, tzinfo=UTC).timestamp()
CONFIGURATION = """
[[source]]
name = "share"
kind = "directory"
path = "{share}"

[[source]]
name = "insurance"
kind = "database"
url = "postgresql://collector@127.0.0.1:1/insurance"
password_env = "INSURANCE_PASSWORD"
attempts = 1

[[source.table]]
feed = "medical_settlement"
table = "settlement"
month = "settled_on"
watermark = "changed_at"
"""


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    """A data home with a share that holds three files, and a database that is not there."""
    share = tmp_path / "share"
    deaths = as_csv([good_row(load_feeds()["death_record"], at) for at in range(12)])
    put(share / "death_record" / "死亡_202303.csv", deaths)
    put(share / "no_such_feed" / "202303.csv", deaths)
    (share / "death_record" / "link_202302.csv").symlink_to("/etc/passwd")
    os.utime(share / "death_record" / "link_202302.csv", (ARRIVED, ARRIVED), follow_symlinks=False)
    home = DataHome(tmp_path / "home").create()
    home.settings_file.write_text(CONFIGURATION.format(share=share), encoding="utf-8")
    return home


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (ARRIVED, ARRIVED))


def entries(home: DataHome) -> dict[str, tuple[str, str | None]]:
    return {item.file_name: (item.status, item.reason) for item in ledger_of(home).deliveries()}


TAKEN = {
    "死亡_202303.csv": ("accepted", None),
    "202303.csv": ("rejected", "feed_unknown"),
    "link_202302.csv": ("rejected", "unsafe"),
}


def test_ingest_fetches_first_and_tells_which_source_it_could_not_read(
    home: DataHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSURANCE_PASSWORD", "hush-4711")
    done = zhaoren(home.root, "ingest", "--json")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert entries(home) == TAKEN
    assert len(answer["deliveries"]) == 3
    assert [item["source"] for item in answer["sources"]] == ["insurance"]

    accepted = next(item["delivery_id"] for item in answer["deliveries"] if item["status"] == "accepted")
    assert json.loads(zhaoren(home.root, "delivery", "show", accepted, "--json").stdout)["source"] == "share"

    listed = zhaoren(home.root, "sources", "--look", "--json")
    share, insurance = json.loads(listed.stdout)
    assert (share["deliveries"], share["new"], share["problem"]) == (3, [], None)
    assert "cannot be read" in insurance["problem"]
    assert insurance["next_step"]

    examined = zhaoren(home.root, "doctor")
    assert "source share" in examined.stdout
    for text in (done, listed, examined):
        assert "hush" not in text.stdout + text.stderr


def test_a_source_that_is_not_there_stops_no_other(home: DataHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSURANCE_PASSWORD", raising=False)
    share, insurance = fetch_sources(home)
    assert (share.fetched, share.problem) == (3, None)
    assert insurance.problem == "environment variable INSURANCE_PASSWORD is not set"
    assert {item.file_name for item in take_in_unusual(home)} == {"202303.csv", "link_202302.csv"}
    assert [item.status for item in take_in_landed(home, "death_record")] == ["accepted"]
    assert entries(home) == TAKEN
    assert take_in_landed(home) == []


def test_dagster_fetches_in_turn_and_takes_in_what_landed(home: DataHome) -> None:
    resources = {"intake": HomeResource(root=str(home.root))}
    config = {"ops": {"fetch_source": {"config": {"source": "share"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        assert fetch_deliveries.execute_in_process(config, instance=instance, resources=resources).success
        context = dg.build_sensor_context(instance=instance, resources=resources)
        (landed,) = [request for request in list(inbox_sensor(context)) if isinstance(request, dg.RunRequest)]  # type: ignore[call-overload]
        asked = [request.run_config for request in list(source_sensor(context))]  # type: ignore[call-overload]
    assert str(landed.run_key).startswith("death_record-share-")
    assert asked == [{"ops": {"fetch_source": {"config": {"source": "insurance"}}}}]
    assert set(entries(home)) == {"202303.csv", "link_202302.csv"}


def test_a_source_has_its_turn_every_so_many_minutes(home: DataHome) -> None:
    now = datetime(2023, 4, 11, tzinfo=UTC)
    Record(home.root).note_look(Look("share", now.timestamp() - 14 * 60, None, None, None, []))
    assert [name for name, _ in due_sources(home, now)] == ["insurance"]
    assert [name for name, _ in due_sources(home, now + timedelta(minutes=1))] == ["share", "insurance"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kind = "directory"\npath = "/x"\nname = "a"\ncolour = 1', "unknown colour; known are name, every_minutes"),
        ('kind = "directory"\npath = "x"\nname = "a"', "must be an absolute path"),
        ('kind = "directory"\npath = "/x"\nname = "office-202301"', "pattern"),
        ('kind = "ftp"\nname = "a"', "'directory', 's3', 'sftp', 'database'"),
        ('kind = "s3"\nurl = "s3://b/p"\nname = "a"', "access_key_env and secret_key_env"),
        ('kind = "s3"\nurl = "s3://b"\nname = "a"\nanonymous = true\nfeeds = {tax = "x"}', "no feed is called tax"),
        ('kind = "sftp"\nurl = "sftp://u:hush-1@h/x"\nname = "a"\nknown_hosts = "k"', "holds a password"),
        ('kind = "sftp"\nurl = "sftp://u@h/x"\nname = "a"\nkey_file = "k"', "known_hosts"),
        ('kind = "database"\nurl = "postgresql://u@h/d?password=hush-1"\nname = "a"\ntable = []', "holds a password"),
        ('kind = "database"\nurl = "postgresql://u@h/d"\nname = "a"\n[[source.table]]\nfeed = "income_tax"\ntable = ""',
         "name its columns of month and watermark"),
        ('kind = "database"\nurl = "postgresql://u@h/d"\nname = "a"\n[[source.table]]\nfeed = "vehicle_register"\n'
         'table = "t"\nrows = 5', "unknown rows; known are feed, table, query, watermark"),
    ],
)  # fmt: skip
def test_a_source_that_is_described_wrongly_is_refused_by_its_key(lines: str, said: str, tmp_path: Path) -> None:
    home = DataHome(tmp_path)
    home.settings_file.write_text(f"[[source]]\n{lines}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        home.settings()
    assert said in str(raised.value)
    assert "source.0" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_two_sources_never_take_each_others_place(tmp_path: Path) -> None:
    home = DataHome(tmp_path)
    one = '[[source]]\nkind = "directory"\npath = "/x"\nname = "a"\n'
    home.settings_file.write_text(one + one, encoding="utf-8")
    with pytest.raises(SettingsError, match="two sources are called a"):
        home.settings()
