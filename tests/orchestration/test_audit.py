"""The audit log: whatever is done to a record, the first one is named; appenders lose nothing; a kill heals.

Tampering is drawn at random over the pure chain; what lies on disk is tried case by case.
"""

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingestion.database import open_database
from orchestration.cli import app
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.trail import audit
from orchestration.trail.audit import anchor_of, changed_files, entries_of, record_access, verify
from orchestration.trail.audit_chain import Entry, Head, canonical, digest_of, first_fault, following, read_heads

NUMBER = "420704198001010018"


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for index in range(length):
        entries.append(following(entries[-1] if entries else None, {"who": f"u{index}", "count": index}))
    return entries


def heads_of(entries: list[Entry]) -> list[Head]:
    return [Head(entry.number, entry.digest, "t") for entry in entries]


def rewritten(entries: list[Entry], place: int) -> list[Entry]:
    """The chain as a forger would leave it: one record another one, all digests from there on made anew."""
    kept, previous = entries[:place], entries[place - 1].digest if place else "0" * 64
    for entry in entries[place:]:
        content = entry.content.replace('"who":"u', '"who":"x') if entry.number == place + 1 else entry.content
        previous = digest_of(previous, content)
        kept.append(Entry(entry.number, content, previous))
    return kept


@settings(max_examples=150)
@given(data=st.data(), length=st.integers(2, 12))
def test_whatever_is_done_to_a_record_the_first_one_is_named(data: st.DataObject, length: int) -> None:
    entries = chain(length)
    heads = heads_of(entries)
    assert first_fault(entries, heads) is None
    place = data.draw(st.integers(0, length - 1))
    how = data.draw(st.sampled_from(["alter", "digest", "remove", "swap", "cut", "rewrite"]))
    wrong, kinds, first = list(entries), {how}, place + 1
    if how == "alter":
        texts = [canonical({"number": place + 1, "who": "z"}), "", "{", entries[place].content + " "]
        text = data.draw(st.sampled_from(texts))
        wrong[place] = Entry(place + 1, text, entries[place].digest)
        kinds = {"altered"}
    elif how == "digest":
        wrong[place] = Entry(place + 1, entries[place].content, "f" * 64)
        kinds = {"altered"}
    elif how == "remove":
        del wrong[place]
        kinds = {"missing"} if place < length - 1 else {"truncated"}
    elif how == "swap":
        other = data.draw(st.integers(0, length - 1).filter(lambda item: item != place))
        low, high = sorted((place, other))
        wrong[low] = Entry(low + 1, entries[high].content, entries[high].digest)
        wrong[high] = Entry(high + 1, entries[low].content, entries[low].digest)
        kinds, first = {"reordered"}, low + 1
    elif how == "cut":
        wrong = wrong[:place]
        kinds = {"truncated"}
    else:
        wrong = rewritten(entries, place)
        kinds = {"altered"}
    fault = first_fault(wrong, heads)
    assert fault is not None
    assert (fault.number, fault.kind in kinds) == (first, True), (how, fault)


def test_a_forger_of_the_anchor_shows() -> None:
    entries = chain(5)
    heads = heads_of(entries)
    assert first_fault(entries, heads[:4]) is None, "a kill between record and head"
    for wrong, first in ((heads[:3], 4), ([], 1), (heads[1:], 1), ([*heads[:2], *heads[3:]], 3)):
        fault = first_fault(entries, wrong)
        assert fault is not None
        assert (fault.kind, fault.number) == ("not anchored", first)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    home = DataHome(tmp_path / "home").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    return home


def look(home: DataHome, count: int = 1, reason: str = "asked") -> int:
    return record_access(home, "look", "a person", who="auditor", count=count, reason=reason, area="420704001")


def behind_its_back(home: DataHome, *statements: str) -> None:
    """Change the records as whoever has the rights of the database may."""
    with open_database(home.operations, audit.METADATA).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def _append_some(root: str) -> None:
    for count in range(8):
        look(DataHome(Path(root)), count)


@pytest.mark.usefixtures("both_places")
def test_appenders_in_several_processes_lose_nothing(home: DataHome) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append_some, args=(str(home.root),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    state = verify(home)
    assert (state.records, state.heads, state.is_whole) == (24, 24, True)


@pytest.mark.usefixtures("both_places")
def test_a_kill_between_record_and_head_is_no_tampering_and_heals(home: DataHome) -> None:
    look(home)
    kept = audit._add_head
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "_add_head", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            look(home)
    assert audit._add_head is kept
    assert (verify(home).records, verify(home).heads, verify(home).is_whole) == (2, 1, True)
    with anchor_of(home).open("a") as anchor:
        anchor.write('{"at":"20')  # half a line
    assert verify(home).is_whole
    look(home)
    assert (verify(home).records, verify(home).heads, verify(home).is_whole) == (3, 3, True)


@pytest.mark.parametrize(
    ("statement", "number", "kind"),
    [
        ("update audit_record set content = replace(content, 'asked', 'ordered') where number = 2", 2, "altered"),
        ("delete from audit_record where number = 2", 2, "missing"),
        ("delete from audit_record where number >= 3", 3, "truncated"),
        ("delete from audit_record", 1, "truncated"),
        (
            "update audit_record set content = (select content from audit_record where number = 3), "
            "digest = (select digest from audit_record where number = 3) where number = 2",
            2,
            "reordered",
        ),
    ],
)
@pytest.mark.usefixtures("both_places")
def test_the_command_names_the_first_record_that_is_wrong(
    home: DataHome, statement: str, number: int, kind: str
) -> None:
    for _ in range(4):
        look(home)
    assert call("audit", "verify")[0] == 0
    behind_its_back(home, statement)
    code, said = call("audit", "verify", "--json")
    told = json.loads(said)
    assert (code, told["whole"], told["fault"]["number"], told["fault"]["kind"]) == (1, False, number, kind)
    assert f"record {number}" in call("audit", "verify")[1]


def test_a_log_that_cannot_be_anchored_shows_nothing_to_anybody(home: DataHome) -> None:
    home.settings_file.write_text('[audit]\nanchor = "/proc/nowhere/anchor"\n', encoding="utf-8")
    with pytest.raises(CommandError, match="nothing is shown"):
        look(home)
    assert entries_of(home) == []


def test_the_anchor_may_lie_elsewhere(home: DataHome, tmp_path: Path) -> None:
    home.settings_file.write_text(f'[audit]\nanchor = "{tmp_path}/usb/heads"\n', encoding="utf-8")
    look(home)
    with (tmp_path / "usb" / "heads").open(newline="") as lines:
        assert [head.count for head in read_heads(lines)] == [1]


@pytest.mark.usefixtures("both_places")
def test_records_never_hold_numbers_and_can_be_filtered(home: DataHome) -> None:
    look(home, reason=f"asked for {NUMBER}, call 13812345678")
    record_access(home, "export", "alerts", who="clerk", count=7, reason="to the county")
    content = "".join(entry.content for entry in entries_of(home))
    assert NUMBER not in content
    assert "13812345678" not in content
    assert [item["who"] for item in json.loads(call("audit", "log", "--json")[1])] == ["auditor", "clerk"]
    assert [item["who"] for item in json.loads(call("audit", "log", "--act", "export", "--json")[1])] == ["clerk"]
    assert len(json.loads(call("audit", "log", "--area", "420704", "--json")[1])) == 1
    assert json.loads(call("audit", "log", "--until", "2000-01-01", "--json")[1]) == []
    assert call("audit", "log", "--csv", "--who", "clerk")[1].splitlines()[1].split(",")[3:5] == ["clerk", "alerts"]


def test_lists_and_reports_are_compared_with_their_fingerprints(home: DataHome) -> None:
    from orchestration.home.outputs import record_lists

    paths = [home.root / "outputs" / "2024-03" / name for name in ("a.xlsx", "b.xlsx")]
    paths[0].parent.mkdir(parents=True)
    for path in paths:
        path.write_bytes(b"list")
    from datetime import date

    record_lists(home, "township lists", date(2024, 3, 1), paths, 5)
    assert changed_files(home) == []
    paths[0].write_bytes(b"another")
    paths[1].unlink()
    assert [(item["what"], item["number"]) for item in changed_files(home)] == [("changed", 1), ("gone", 1)]
    assert call("audit", "verify", "--files")[0] == 1
    assert call("audit", "verify")[0] == 0


@pytest.mark.usefixtures("both_places")
def test_what_was_logged_before_there_was_a_chain_opens_it(home: DataHome) -> None:
    behind_its_back(
        home,
        "create table identified_export (export_id integer primary key, exported_at text, who text, what text, "
        "month text, row_count integer, reason text)",
        "insert into identified_export values (1, '2024-01-01T00:00:00+00:00', 'a', 'b', null, 3, 'c')",
    )
    assert look(home) == 2
    assert [json.loads(entry.content)["who"] for entry in entries_of(home)] == ["a", "auditor"]
    assert verify(home).is_whole
