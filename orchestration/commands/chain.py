"""``zhaoren chain``: the aid chain of one person or household.

Belongs here: the words of the command, in which form the chain is told, and that the look is logged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from orchestration.commands.arguments import JsonOption
from orchestration.commands.deciding import ByOption, checked_reason, decider
from orchestration.console import CommandError, say, show_json, show_table, tell
from orchestration.home.settings import DataHome, find_home
from orchestration.questions.chains import chain_of, subject_of
from orchestration.questions.people import area_of, checked_key
from orchestration.trail.audit import record_access
from workbench.chain import FINDING, LINE, MEMBER, OVERPAID, Chain, plain
from workbench.chain_book import write_chain_book
from workbench.chain_page import chain_page

LANGUAGES = ("zh", "en")


def chain(
    subject: Annotated[
        str | None,
        typer.Argument(
            help="Household id, alert id or person key. Left out: an ID number is read from stdin or asked."
        ),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Person key (letters).")] = None,
    id_file: Annotated[
        Path | None, typer.Option("--id-file", exists=True, dir_okay=False, help="File that holds one ID number.")
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="Of a person: without what came to the household.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write it to FILE.html (to print), FILE.xlsx or FILE.json.")] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; default: as set for lists.")] = None,
    identified: Annotated[bool, typer.Option("--identified", help="Show names and numbers as they are.")] = False,
    reason: Annotated[str, typer.Option(help="Why; required with --identified, logged always.")] = "",
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every aid event of a person or household in order, of all departments, with gaps, doubles and overpaid money.

    Names are masked unless --identified; every look is logged. An ID number is best given by file, pipe or prompt:
    as an argument it stays in the history of the shell, which is said.

    Example: [bold]zhaoren chain --id-file person.txt --out chain.html[/]
    """
    why = checked_reason(reason) if identified or reason else "not stated"
    home, who = find_home(), decider(by)
    language = _language(home, lang)
    target = _target(subject, key)
    about = subject_of(home, target, id_file)
    found = chain_of(home, about, identified=identified, alone=alone, lang=language)
    what = "identified look at an aid chain" if identified else "masked look at an aid chain"
    area = area_of(home, about.key)
    record_access(home, "look", what, who=who, area=area, count=found.rows.height, reason=why)
    if out is not None:
        _write(found, out)
        tell(f"{found.rows.height} records -> {out}" + (" (personal data)" if identified else ""))
    if as_json:
        show_json(as_document(found))
    elif out is None:
        _show(found)


def _language(home: DataHome, lang: str | None) -> str:
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang} is none of {', '.join(LANGUAGES)}", param_hint="--lang")
    return lang or home.settings().lists.language


def _target(subject: str | None, key: str | None) -> str | None:
    if key is not None and subject is not None:
        raise typer.BadParameter("give one of them, the argument or --key", param_hint="--key")
    if key is not None:
        return checked_key(key)
    if subject is not None and any(character.isdigit() for character in subject):
        tell("zhaoren: that number now stands in the history of your shell; better: --id-file, a pipe or the prompt")
    return subject


def _write(found: Chain, out: Path) -> None:
    """Write the chain in the form that the name of the file says, for its reader alone from the first byte on."""
    out.parent.mkdir(parents=True, exist_ok=True)
    form = out.suffix.lower()
    if form == ".xlsx":
        write_chain_book(out, found)
        out.chmod(0o600)
        return
    if form not in (".html", ".json"):
        raise CommandError(f"{out.name}: no form of that name", "write it to .html, .xlsx or .json")
    page = form == ".html"
    text = chain_page(found) if page else json.dumps(as_document(found), ensure_ascii=False, default=str, indent=1)
    aside = out.with_name(f".{out.name}.part")
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="utf-8")
    aside.replace(out)


def as_document(found: Chain) -> dict[str, object]:
    """The chain for other programs; words in its language, money as numbers."""
    tables = {"events": found.rows, "timeline": found.lines, "findings": found.findings}
    tables |= {"overpaid": found.overpaid, "members": found.members}
    told = {name: table.with_columns(pl.selectors.decimal().cast(pl.Float64)) for name, table in tables.items()}
    return {
        "subject": found.subject,
        "key": found.key,
        "month": f"{found.month:%Y-%m}",
        "paid_yuan": float(found.paid_yuan),
        "overpaid_yuan": float(found.overpaid_yuan),
        **{name: table.to_dicts() for name, table in told.items()},
    }


def _show(found: Chain) -> None:
    say(found.text("title", subject=found.subject))
    say(found.summary())
    say("  ".join(found.totals()))
    tables = (
        ("timeline", LINE, found.lines, "empty"), ("findings", FINDING, found.findings, "no_finding"),
        ("overpaid", OVERPAID, found.overpaid, "no_overpaid"), ("members", MEMBER, found.members, "empty"),
    )  # fmt: skip
    for name, columns, table, none in tables:
        if table.is_empty():
            say(found.text(none))
            continue
        rows = [{column: plain(value) for column, value in row.items()} for row in table.iter_rows(named=True)]
        show_table(found.text(name), rows, {column: found.text(f"column.{column}") for column in columns})


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(chain)
