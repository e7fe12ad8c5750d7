"""What a remote file may do while it is looked at, who is let in where, and that no secret is ever shown."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.limits import MAX_BYTES
from ingestion.source import FetchReport, Record, SourceError, reachable
from ingestion.source.location import Remote
from ingestion.source.name import MAX_NAME_BYTES, fault_of_name, harmless
from ingestion.source.secret import secret_of
from tests.ingestion.source.conftest import ARRIVED, NOW, Home, Place, source_of
from tests.ingestion.source.servers import PASSWORD, SftpServer
from tests.ingestion.source.test_source_files import deaths


@dataclass
class Scripted:
    """A location whose one file does, from look to look, what the test says."""

    looks: list[Remote | None]
    data: bytes = b""
    opened: int = 0
    error: Exception | None = None
    closed: list[bool] = field(default_factory=list)

    def folders(self) -> list[str]:
        return ["death_record"]

    def entries(self, folder: str) -> list[Remote]:
        first = self.looks[0]
        return [first] if first is not None and folder == "death_record" else []

    def look(self, remote: Remote) -> Remote | None:
        return self.looks[-1]

    def open(self, remote: Remote) -> BinaryIO:
        self.opened += 1
        if self.error is not None:
            raise self.error
        return io.BytesIO(self.data)

    def explain(self, error: Exception) -> SourceError:
        return SourceError(f"failed ({type(error).__name__})", "see to it", may_pass=True)

    def close(self) -> None:
        self.closed.append(True)


FIRST = Remote("death_record", "202303.csv", "file", 5, "a", ARRIVED.timestamp())


def fetched(location: Scripted, home: Home, monkeypatch: pytest.MonkeyPatch) -> FetchReport:
    monkeypatch.setattr("ingestion.source.fetching._location", lambda *_: location)
    return home.fetch(source_of(name="office", kind="directory", path="/nowhere"))


@pytest.mark.parametrize(
    ("then", "data"),
    [
        (replace(FIRST, size=9), b"12345"),
        (replace(FIRST, mark="b"), b"12345"),
        (None, b"12345"),
        (FIRST, b"1234"),
        (FIRST, b"123456789"),
    ],
    ids=["grew", "exchanged", "gone", "cut short", "longer than told"],
)
def test_a_file_that_changes_under_the_hands_waits(
    then: Remote | None, data: bytes, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = fetched(Scripted([FIRST, then], data), home, monkeypatch)
    assert (report.fetched, report.problem) == (0, None)
    assert [item.why for item in report.waiting] == ["changed or vanished while it was fetched"]
    assert not home.landed()
    assert not list((home.folder / "landing" / ".fetching").glob("office.????????????????"))
    assert fetched(Scripted([FIRST], b"12345"), home, monkeypatch).fetched == 1


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), PermissionError("no")])
def test_a_file_that_cannot_be_opened_waits(error: Exception, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    location = Scripted([FIRST], error=error)
    report = fetched(location, home, monkeypatch)
    assert (report.fetched, report.problem, len(report.waiting), location.closed) == (0, None, 1, [True])


def test_a_failure_of_the_network_is_tried_again_a_bounded_number_of_times(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = Scripted([FIRST], error=ConnectionResetError("hush-4711"))
    report = fetched(location, home, monkeypatch)
    assert (location.opened, len(location.closed), home.pauses) == (3, 3, [1.0, 2.0])
    assert report.problem == "failed (ConnectionResetError)"


def test_a_file_larger_than_any_delivery_is_refused_unread(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    location = Scripted([replace(FIRST, size=MAX_BYTES + 1)])
    source = source_of(name="office", kind="directory", path="/nowhere")
    assert fetched(location, home, monkeypatch).fetched == 1
    (delivery,) = home.take_in(source)
    assert (delivery.reason, delivery.detail) == ("unsafe", "larger than any delivery may be")
    assert location.opened == 0


def test_what_nobody_foresaw_is_the_problem_of_its_source_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:
        raise RuntimeError("hush-4711")

    monkeypatch.setattr("ingestion.source.fetching._location", fails)
    report = home.fetch(source_of(name="office", kind="directory", path="/nowhere"))
    assert report.problem == "unforeseen RuntimeError"


@given(st.text(max_size=300))
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    taken = name if fault_of_name(name) is None else harmless(name)
    assert Path("a", taken).parent == Path("a")
    assert taken not in ("", ".", "..")
    assert len(taken.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES + len(taken)
    assert "\n" not in taken
    assert "\x1b" not in taken


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "..\\b", "a\nb", "a\x00b", "a\u202eb", "x" * 242, "a?versionId=1"]
)
def test_names_that_are_tricks_are_told(name: str) -> None:
    assert fault_of_name(name)
    assert fault_of_name(harmless(name)) is None


def test_plain_names_are_kept() -> None:
    assert fault_of_name("武昌区 𠀀 报送(202303).xlsx") is None
    assert harmless("a/b") != harmless("a_b")


@pytest.mark.parametrize(("kind", "package"), [("s3", "s3fs"), ("sftp", "paramiko")])
def test_a_package_that_is_not_installed_is_named(
    kind: str, package: str, request: pytest.FixtureRequest, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = request.getfixturevalue(kind).source()
    monkeypatch.setitem(sys.modules, package, None)
    report = home.fetch(source)
    assert report.problem == f"the package {package} is not installed"
    with pytest.raises(SourceError, match="is not installed"):
        reachable(source, home.folder)


# Who is let in


def test_a_host_with_another_key_is_not_talked_to(
    sftp: Place, sftp_server: SftpServer, home: Home, tmp_path: Path
) -> None:
    sftp.put("death_record", "202303.csv", deaths())
    sftp_server.known_hosts(tmp_path / "known_hosts", key=paramiko.ECDSAKey.generate())
    report = home.fetch(sftp.source())
    assert "is not the known one" in str(report.problem)
    assert "fingerprint" in str(report.next_step)
    assert not home.pauses


def test_a_host_that_is_not_known_is_not_talked_to(sftp: Place, home: Home, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    assert "is not the known one" in str(home.fetch(sftp.source()).problem)


def test_a_wrong_password_is_told_without_it(sftp: Place, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFICE_PASSWORD", "hush-wrong")
    report = home.fetch(sftp.source())
    assert "refuses the credentials" in str(report.problem)
    assert "hush" not in repr(report)
    with pytest.raises(SourceError):
        reachable(sftp.source(), home.folder)


def test_a_bucket_that_is_not_there_is_told(s3: Place, home: Home) -> None:
    assert home.fetch(s3.source(url="s3://town/out")).problem == "bucket town is not there"


def test_secrets_come_from_files_that_only_their_owner_reads(
    sftp: Place, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OFFICE_PASSWORD")
    sftp.put("death_record", "202303.csv", deaths())
    file = tmp_path / "office.toml"
    file.write_text(f'password = "{PASSWORD}"\n')
    file.chmod(0o640)
    source = sftp.source(password_env=None, secrets_file=str(file))
    report = home.fetch(source)
    assert (report.problem, report.next_step) == ("office.toml may be read by others (mode 640)", f"chmod 600 {file}")
    file.chmod(0o600)
    assert [item.status for item in home.run(source)] == ["accepted"]


def test_a_secrets_file_that_is_no_toml_is_told_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text("hush-4711")
    file.chmod(0o600)
    with pytest.raises(SourceError) as raised:
        secret_of("password", None, file, tmp_path)
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__


# Kills

KILLED = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from ingestion import Store
from ingestion.keys import Keys
from ingestion.source import landing, record, settle, fetch, take_in
from models.contract import load_feeds
from tests.ingestion.source.conftest import source_of

home, office, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
NOW = datetime.fromisoformat(sys.argv[4])
count = 0
def mortal(function):
    def call(*args, **kwargs):
        global count
        count += 1
        if count == step:
            os.kill(os.getpid(), 9)
        return function(*args, **kwargs)
    return call
for owner, name in ((landing.os, "fsync"), (landing.Path, "rename"), (record.Record, "note"), (landing.Path, "unlink"),
                    (record.Record, "note_origin"), (record.Record, "note_look")):
    setattr(owner, name, mortal(getattr(owner, name)))
source = source_of(name="office", kind="directory", path=office)
fetch(source, home, NOW)
take_in("office", Store(home, Keys(b"p" * 32, b"v" * 32)), load_feeds(), NOW)
"""


@pytest.mark.parametrize("step", [2, 5, 8, 12, 20])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_state(
    step: int, directory: Place, office: Path, home: Home, tmp_path: Path
) -> None:
    directory.put("death_record", "202303.csv", deaths(), {"sent_at": "2023-04-10T09:00:00+08:00", "rows": 12})
    command = [sys.executable, "-c", KILLED, str(home.folder), str(office), str(step), NOW.isoformat()]
    killed = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[3])
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    home.fetch(directory.source())
    home.take_in(directory.source())
    assert [(item["status"], item["rows_accepted"]) for item in home.ledger()] == [("accepted", 12)]
    assert not home.landed()
    assert Record(home.folder).origin(home.ledger()[0]["delivery_id"]) == "office"
    assert home.fetch(directory.source()).fetched == 0
