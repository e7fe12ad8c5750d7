"""Arguments that several commands take, and how they are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.warehouse.run_plan import parse_month

MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="One data month; default: all.")]
InboxOption = Annotated[
    Path | None, typer.Option("--inbox", exists=True, file_okay=False, help="Inbox; default: that of the data home.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


def month_of(text: str | None) -> date | None:
    """A month option as its first day; a usage error where it is no month."""
    if text is None:
        return None
    try:
        return parse_month(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no month; write it as 2024-03", param_hint="--month") from error


def time_of(text: str | None) -> datetime | None:
    """An as-of option (date or time, UTC where it says no zone) as a moment."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time; write 2024-03-31 or 2024-03-31T18:00+08:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
