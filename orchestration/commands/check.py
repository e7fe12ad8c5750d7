"""``zhaoren check``: requests for a means check, each answered by a report or by a refusal with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from ingestion.reason import FileRejectedError
from models.labels import label
from models.masking import mask_text
from orchestration.commands.arguments import JsonOption, month_of
from orchestration.commands.deciding import decider
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import DataHome, find_home
from orchestration.questions.scratch import ScratchError
from orchestration.trail.audit import record_access

WHAT = "means_check"
# More lines than these nobody reads on a screen; the workbook has all.
_LINES = 200
COLUMNS = {"request_no": "request", "status": "status", "layer": "layer by rule", "why": "why"}


@dataclass(frozen=True)
class _Wanted:
    """Which files are written for a batch."""

    folder: Path
    pdf: bool
    bound: bool
    lang: str


def check(
    requests: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="Requests, in the columns of the feed check_request."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the answers.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Data month; default: the newest.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="A report on paper for each request.")] = False,
    bound: Annotated[bool, typer.Option("--bound", help="All reports as one document.")] = False,
    household: Annotated[
        list[str] | None, typer.Option(metavar="REQUEST_NO", help="This request alone; may be repeated.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the log. Default: month and number of requests.")] = "",
    lang: Annotated[str | None, typer.Option(help="zh or en; default: as the lists.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the means of applicants: every request gets a report, or a refusal that says why.

    Without a file the requests that the feed brought for the month are answered. Writes a workbook and a JSON document
    into the folder, with --pdf or --bound reports on paper; all of them hold personal data and are logged.
    Exit code 1 where a request was refused.

    Example: [bold]zhaoren check requests.xlsx --month 2024-06 --out answers --bound[/]
    """
    if out is None:
        raise typer.BadParameter("say where the answers go", param_hint="--out")
    if lang not in (None, "zh", "en"):
        raise typer.BadParameter("zh or en", param_hint="--lang")
    from workbench.check_answers import rows  # slow to import

    home = find_home()
    wanted = _Wanted(out, pdf, bound, lang or home.settings().lists.language)
    day, frame = _answers(home, requests, month_of(month), household or ())
    answered = list(rows(frame))
    refused = [answer for answer in answered if answer["status"] == "refused"]
    why = mask_text(reason.strip()) or label("check.reason", wanted.lang, month=f"{day:%Y-%m}", count=len(answered))
    persons = sum(len(answer["member"]) for answer in answered)
    record_access(home, "export", WHAT, who=decider(None), month=f"{day:%Y-%m}", count=persons, reason=why)
    files = _write(home, wanted, frame, answered, day)
    _tell(answered, files, day, as_json=as_json)
    if refused:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def _answers(
    home: DataHome, requests: Path | None, month: date | None, numbers: Iterable[str]
) -> tuple[date, pl.DataFrame]:
    """The month and its answers, by number."""
    from orchestration.questions import means_check
    from workbench.check_answers import answers

    try:
        day = month or means_check.newest_month(home)
        if requests is None:
            tables = means_check.check_feed(home, day)
        else:
            tables = means_check.check_file(home, requests, day, datetime.now(UTC).astimezone().date())
    except NotPublishedError as error:
        raise CommandError(f"no table {error} has been published", "run `zhaoren run` first") from error
    except FileRejectedError as error:
        raise CommandError(f"the file cannot be read: {error}", "mend it and try again") from error
    except ScratchError as error:
        raise CommandError(f"the check could not be computed: {error}", "run `zhaoren doctor`") from error
    if tables.source.is_empty():
        raise CommandError(f"nothing is known of {day:%Y-%m}", "name a month that `zhaoren status` shows as done")
    unknown = sorted(set(numbers) - means_check.request_numbers(tables))
    if unknown:
        raise CommandError(f"no request {', '.join(unknown)}", "check the number; `#7` is the request of row 7")
    tables = means_check.only(tables, numbers) if numbers else tables
    return day, answers(tables)


def _write(
    home: DataHome, wanted: _Wanted, frame: pl.DataFrame, answered: list[dict[str, Any]], month: date
) -> list[Path]:
    """Write what is wanted, each file complete or not at all, for its reader alone."""
    from orchestration.questions.means_check import windows
    from workbench import check_files

    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = check_files.write_batch(wanted.folder, frame, answered, month, wanted.lang)
    if wanted.pdf:
        files += check_files.write_reports(wanted.folder, answered, month, windows(home, month), wanted.lang)
    if wanted.bound:
        files += check_files.write_bound(wanted.folder, answered, month, windows(home, month), wanted.lang)
    return files


def _tell(answered: list[dict[str, Any]], files: list[Path], month: date, *, as_json: bool) -> None:
    """Every request with its status; nothing of its members."""
    lines = [_line(answer) for answer in answered]
    refused = [line for line in lines if line["status"] == "refused"]
    counts = {"requests": len(lines), "answered": len(lines) - len(refused), "refused": len(refused)}
    if as_json:
        show_json({"month": f"{month:%Y-%m}", **counts, "answers": lines, "files": [str(file) for file in files]})
        return
    ordered = [*refused, *(line for line in lines if line["status"] != "refused")]
    show_table(f"means check {month:%Y-%m}", ordered[:_LINES], COLUMNS)
    if len(ordered) > _LINES:
        say(f"and {len(ordered) - _LINES} more, all of them in the workbook")
    say(", ".join(f"{count} {name}" for name, count in counts.items()))
    for file in files[:_LINES]:
        say(f"written: {file}")


def _line(answer: Mapping[str, Any]) -> dict[str, Any]:
    from workbench.check_answers import refusal_text

    told = [refusal_text(item, "en") for item in answer["refusals"]]
    return {
        "request_no": answer["request_no"],
        "status": answer["status"],
        "layer": answer["rule_layer"],
        "why": "; ".join(told) if told else answer["rule_reason"],
    }


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(check)
