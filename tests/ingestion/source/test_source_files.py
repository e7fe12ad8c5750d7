"""Files from shares, S3 and SFTP: the same deliveries as from the inbox, whole, once, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingestion.source import Record, new_in, reachable, standing
from ingestion.source.landing import Landing
from models.contract import load_feeds
from tests.ingestion.conftest import as_csv, good_row
from tests.ingestion.source.conftest import NOW, Home, Place, into_folder
from tests.ingestion.source.servers import SftpServer

SENT = {"sent_at": "2023-04-10T09:00:00+08:00"}


def deaths(count: int = 12, **changed: str) -> bytes:
    """Good rows of the death register; ``changed`` are cells of the second."""
    feed = load_feeds()["death_record"]
    rows = [good_row(feed, at) for at in range(count)]
    for name, cell in changed.items():
        rows[1][feed.column(name).header] = cell
    return as_csv(rows).encode("gb18030")


def deliver(put: Callable[..., None]) -> None:
    """What departments send: good, with a bad row, without a column, too bad, unknown feed, wrong sidecar."""
    good = deaths()
    put("death_record", "死亡_202303.csv", good, {**SENT, "rows": 12})
    put("death_record", "死亡_202304.csv", deaths(13, id_number="42070219800101"), SENT)
    put("death_record", "死亡_202305.csv", good.replace("死亡日期".encode("gb18030"), b"x"), SENT)
    put("death_record", "死亡_202306.csv", deaths().replace(b"2023-03-05", b"never"), SENT)
    put("death_record", "死亡_202307.csv", good, {**SENT, "rows": 7})
    put("death_register", "死亡_202303.csv", good, SENT)
    put("price_index", "cpi_202303.csv", as_csv([good_row(load_feeds()["price_index"], 0)]).encode(), SENT)


def test_a_source_gives_the_ledger_and_the_lake_that_the_inbox_gives(place: Place, home: Home, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    deliver(Place("directory", into_folder(inbox), {}).put)
    deliver(place.put)
    plain = Home(tmp_path / "plain")
    plain.ingest(inbox)

    taken = home.run(place.source())

    assert home.ledger() == plain.ledger()
    assert home.lake() == plain.lake()
    assert {item["status"] for item in home.ledger()} == {"accepted", "held", "rejected"}
    assert {Record(home.folder).origin(item.delivery_id) for item in taken} == {"office"}
    # Only what somebody may want to look at is still there, closed to others.
    assert len(home.landed()) == 2 * len([item for item in taken if item.status == "rejected"])
    for path in (home.folder / "landing").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077 or path.suffix == ".lock"

    assert home.fetch(place.source()).fetched == 0
    assert home.take_in(place.source()) == []


def test_rejected_files_leave_the_landing_in_the_end(directory: Place, home: Home) -> None:
    directory.put("death_record", "202303.csv", b"nothing of use")
    (delivery,) = home.run(directory.source(keep_rejected_days=3))
    assert delivery.status == "rejected"
    assert home.landed()
    home.fetch(directory.source(keep_rejected_days=3), NOW + timedelta(days=4))
    assert not home.landed()
    assert home.fetch(directory.source(keep_rejected_days=3), NOW + timedelta(days=4)).fetched == 0


def test_a_changed_file_is_a_correction_and_a_changed_sidecar_is_heard(place: Place, home: Home) -> None:
    place.put("death_record", "202303.csv", deaths(), {**SENT, "rows": 99})
    (refused,) = home.run(place.source())
    place.put("death_record", "202303.csv", deaths(), {**SENT, "rows": 12}, datetime(2023, 4, 11, tzinfo=UTC))
    (accepted,) = home.run(place.source())
    later = {"sent_at": "2023-04-12T09:00:00+08:00"}
    place.put("death_record", "202303.csv", deaths(13), later, datetime(2023, 4, 12, tzinfo=UTC))
    (corrected,) = home.run(place.source())
    assert (refused.status, accepted.status, corrected.status) == ("rejected", "accepted", "accepted")
    assert corrected.supersedes == accepted.delivery_id


def test_feeds_may_be_mapped_to_folders_of_any_name(place: Place, home: Home) -> None:
    place.put("outgoing/民政", "202303.csv", deaths())
    place.put("private", "202303.csv", b"nobody's business")
    (delivery,) = home.run(place.source(feeds={"death_record": "outgoing/民政"}))
    assert (delivery.feed, delivery.status) == ("death_record", "accepted")


def test_what_is_not_finished_waits(directory: Place, home: Home) -> None:
    fresh = NOW - timedelta(seconds=2)
    directory.put("death_record", "202301.csv", deaths(), arrived=fresh)
    directory.put("death_record", "202302.csv.part", deaths())
    directory.put("death_record", "~$202302.xlsx", deaths())
    directory.put("death_record", "202303.csv", deaths())
    directory.put("death_record", "202303.csv.manifest.json", b"{}", arrived=fresh)
    directory.put("death_record", "202304.csv.manifest.json", b"{}")
    directory.put("death_record/old", "202212.csv", deaths())
    report = home.fetch(directory.source())
    assert report.fetched == 0
    assert {item.what.split("/", 1)[1]: item.why for item in report.waiting} == {
        "202301.csv": "changed a moment ago",
        "202302.csv.part": "unfinished",
        "~$202302.xlsx": "unfinished",
        "202303.csv": "changed a moment ago",
        "202304.csv.manifest.json": "sidecar without its file",
        "old": "subfolder",
    }
    assert home.fetch(directory.source(), NOW + timedelta(seconds=10)).fetched == 2


def test_links_pipes_and_tricky_names_are_refused_without_being_opened(
    directory: Place, office: Path, home: Home, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(deaths())
    folder = office / "death_record"
    folder.mkdir()
    (folder / "link_202303.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe_202303.csv")
    os.utime(folder / "pipe_202303.csv", (1e9, 1e9))
    os.utime(folder / "link_202303.csv", (1e9, 1e9), follow_symlinks=False)
    directory.put("death_record", "\x1b[2Jtrick\u202e_202303.csv", deaths())
    directory.put("death_record", "long_202303_" + "x" * 235 + ".csv", deaths())
    taken = home.run(directory.source())
    assert {(item.status, item.reason) for item in taken} == {("rejected", "unsafe")}
    assert sorted(str(item.detail) for item in taken) == [
        "a name that is too long",
        "a name with control characters",
        "a symbolic link",
        "not a regular file",
    ]
    assert all(item.file_name.isprintable() for item in taken)
    assert home.run(directory.source()) == []


def test_names_that_a_server_makes_up_lead_nowhere(sftp: Place, sftp_server: SftpServer, home: Home) -> None:
    sftp.put("death_record", "202303.csv", deaths())
    names = {"202303.csv": "x/../../../../etc/cron.d/x_202303.csv"}
    sftp_server._files.shown = lambda _self, name: names.get(name, name)  # type: ignore[method-assign, assignment]
    (delivery,) = home.run(sftp.source())
    assert (delivery.reason, delivery.detail) == ("unsafe", "a name that is a path")
    assert "/" not in delivery.file_name
    assert not home.landed()


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_a_line_that_breaks_halfway_is_tried_again_and_never_lands_half_a_file(
    kind: str, request: pytest.FixtureRequest, home: Home, breaking: Callable[[int, int, int], int], tmp_path: Path
) -> None:
    place: Place = request.getfixturevalue(kind)
    place.put("death_record", "202303.csv", deaths(5_000))
    source = through(place, breaking, 100_000, 1, tmp_path)
    (delivery,) = home.run(source)
    assert (delivery.status, delivery.rows_data) == ("accepted", 5_000)
    assert home.pauses == [1.0]


@pytest.mark.parametrize("kind", ["s3", "sftp"])
def test_a_line_that_stays_broken_is_told_after_so_many_attempts(
    kind: str, request: pytest.FixtureRequest, home: Home, breaking: Callable[[int, int, int], int], tmp_path: Path
) -> None:
    place: Place = request.getfixturevalue(kind)
    place.put("death_record", "202303.csv", deaths(5_000))
    report = home.fetch(through(place, breaking, 100_000, 99, tmp_path))
    assert home.pauses == [1.0, 2.0]
    assert report.problem is not None
    assert "cannot be read" in report.problem
    assert report.next_step
    assert not home.landed()
    assert standing(place.source(), home.folder).problem == report.problem
    # Once it is whole again, nothing is missing.
    (delivery,) = home.run(place.source())
    assert delivery.rows_data == 5_000
    assert standing(place.source(), home.folder).problem is None


def through(place: Place, breaking: Callable[[int, int, int], int], after: int, breaks: int, folder: Path) -> Any:
    """The source of a place, by a line that breaks."""
    address = str(place.keys.get("endpoint") or place.keys["url"])
    port = int(urlsplit(address).port or 0)
    broken = breaking(port, after, breaks)
    changed = address.replace(str(port), str(broken))
    if place.kind == "s3":
        return place.source(endpoint=changed)
    known = folder / "known_hosts_of_line"
    known.write_text(Path(place.keys["known_hosts"]).read_text().replace(str(port), str(broken)))
    return place.source(url=changed, known_hosts=str(known))


def test_a_kill_between_landing_and_ledger_neither_loses_nor_doubles(place: Place, home: Home) -> None:
    place.put("death_record", "202303.csv", deaths())
    home.fetch(place.source())
    assert home.fetch(place.source()).fetched == 0
    (delivery,) = home.take_in(place.source())
    assert delivery.status == "accepted"
    assert not home.landed()


def test_a_kill_between_ledger_and_record_is_healed_by_the_next_fetch(directory: Place, home: Home) -> None:
    directory.put("death_record", "202303.csv", deaths())
    home.fetch(directory.source())
    home.ingest(Landing(home.folder, "office").inbox)
    assert home.landed()
    assert home.fetch(directory.source()).fetched == 0
    assert not home.landed()
    assert home.take_in(directory.source()) == []
    assert Record(home.folder).origin(str(home.ledger()[0]["delivery_id"])) == "office"


def test_a_kill_between_file_and_record_fetches_the_same_again(
    directory: Place, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.put("death_record", "202303.csv", deaths(), SENT)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Record, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            home.fetch(directory.source())
    assert home.fetch(directory.source()).fetched == 1
    assert [item.status for item in home.take_in(directory.source())] == ["accepted"]


def test_a_landed_file_that_was_taken_away_is_fetched_again(directory: Place, home: Home) -> None:
    directory.put("death_record", "202303.csv", deaths())
    home.fetch(directory.source())
    Landing(home.folder, "office").discard("death_record", "202303.csv")
    assert home.fetch(directory.source()).fetched == 1


def test_the_same_file_in_inbox_and_source_counts_once(directory: Place, office: Path, home: Home) -> None:
    directory.put("death_record", "202303.csv", deaths())
    home.ingest(office)
    assert home.run(directory.source()) == []
    directory.put("death_record", "202303 again.csv", deaths())
    (copy,) = home.run(directory.source())
    assert copy.status == "duplicate"


def test_another_process_at_work_on_a_source_is_left_alone(directory: Place, home: Home) -> None:
    with Landing(home.folder, "office").locked():
        report = home.fetch(directory.source())
    assert report.problem == "another process is fetching from it"


def test_a_place_without_anything_is_no_problem(place: Place, home: Home) -> None:
    assert home.fetch(place.source()).problem is None
    assert home.fetch(place.source(feeds={"death_record": "nowhere"})).problem is None


def test_a_folder_that_leads_out_of_the_share_is_not_read(
    directory: Place, office: Path, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "202303.csv").write_bytes(deaths())
    (office / "death_record").symlink_to(tmp_path / "elsewhere")
    assert home.fetch(directory.source()).fetched == 0
    report = home.fetch(directory.source(feeds={"death_record": "death_record"}))
    assert (report.fetched, report.problem) == (0, f"folder death_record leads out of {office}")


def test_a_share_that_is_not_mounted_is_a_problem_of_its_source(home: Home, tmp_path: Path) -> None:
    place = Place("directory", into_folder(tmp_path), {"path": str(tmp_path / "nowhere")})
    report = home.fetch(place.source())
    assert report.problem == f"{tmp_path / 'nowhere'} is not there"
    assert home.take_in(place.source()) == []


def test_a_look_tells_what_is_new_and_changes_nothing(place: Place, home: Home) -> None:
    place.put("death_record", "420702198001010027_202303.csv", deaths())
    assert reachable(place.source(), home.folder) == "1 folders, 1 entries"
    (new,) = new_in(place.source(), home.folder, NOW)
    assert new.startswith("death_record/420702********0027")
    assert not home.landed()
    home.run(place.source())
    assert new_in(place.source(), home.folder, NOW) == []
    assert standing(place.source(), home.folder).deliveries == 1
