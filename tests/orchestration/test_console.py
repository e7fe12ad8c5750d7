"""What is shown on the screen: texts of others to the letter, whatever they contain."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestration import console

# Names of files come from departments; in square brackets and between colons Rich would see orders.
NAMES = ("[/b]户籍.csv", "[red]户籍[/red].csv", ":smile:.csv")


@pytest.mark.parametrize("name", NAMES, ids=["closing", "colour", "emoji"])
def test_texts_of_others_are_shown_to_the_letter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.show_table(name, [{"file": name, "reasons": [name]}], {"file": "file", "reasons": "reasons"})
    console.say(name)
    assert capsys.readouterr().out.count(name) == 4


def test_a_failure_is_told_to_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=told, width=console.PIPED_WIDTH, emoji=False))
    console.show_error(NAMES[0], NAMES[1])
    assert NAMES[0] in told.getvalue()
    assert NAMES[1] in told.getvalue()
