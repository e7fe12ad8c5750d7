"""What is handed to readers stands with its fingerprint in a manifest and in the audit log, the manifest too."""

import json
from datetime import date
from pathlib import Path

from orchestration.home.settings import DataHome
from orchestration.trail.audit import changed_files, entries_of, verify
from orchestration.trail.manifest import described, fingerprint, hand_over

MARCH = date(2024, 3, 1)


def test_files_and_their_manifest_are_in_the_log_and_a_changed_byte_is_named(tmp_path: Path) -> None:
    home = DataHome(tmp_path / "home").create()
    folder = home.outputs / "2024-03" / "letters"
    folder.mkdir(parents=True)
    letter, manifest = folder / "letter.pdf", folder / "manifest.json"
    letter.write_bytes(b"first")
    hand_over(home, [described("letter", MARCH, "zh", letter)], MARCH, who="clerk", manifest=manifest)
    (line,) = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    assert (line["path"], line["sha256"]) == ("letter.pdf", fingerprint(letter))
    record = json.loads(entries_of(home)[0].content)
    assert (record["act"], record["what"], record["who"], record["count"]) == ("report", "letter", "clerk", 1)
    assert set(record["files"]) == {"outputs/2024-03/letters/letter.pdf", "outputs/2024-03/letters/manifest.json"}
    assert changed_files(home) == []
    letter.write_bytes(b"other")
    assert [found["file"] for found in changed_files(home)] == ["outputs/2024-03/letters/letter.pdf"]
    assert verify(home).is_whole


def test_a_second_call_keeps_the_lines_of_files_that_still_stand(tmp_path: Path) -> None:
    home, manifest = DataHome(tmp_path / "home").create(), tmp_path / "manifest.json"
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        (tmp_path / name).write_bytes(name.encode())
        hand_over(home, [described("letter", MARCH, "zh", tmp_path / name)], MARCH, who="clerk", manifest=manifest)
        (tmp_path / "a.pdf").unlink(missing_ok=True)
    assert [line["path"] for line in json.loads(manifest.read_text(encoding="utf-8"))["files"]] == ["b.pdf", "c.pdf"]
    assert set(json.loads(entries_of(home)[0].content)["files"]) == {"a.pdf", "manifest.json"}, "no folder of a machine"


def test_nothing_written_is_nothing_logged(tmp_path: Path) -> None:
    home = DataHome(tmp_path / "home").create()
    hand_over(home, [], MARCH, who="clerk")
    assert entries_of(home) == []
