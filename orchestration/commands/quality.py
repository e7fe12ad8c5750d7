"""``zhaoren quality``: the catalogue of checks, what they found, scorecards, letters, waivers and explanations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from expectations import checks_frame, resolve_contradiction_checks, resolve_feed_checks, resolve_table_checks
from expectations.check import Check
from models.contract import load_feeds
from orchestration.commands.arguments import JsonOption, MonthOption, month_of
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, Exit, answer, finish, say, show_json
from orchestration.decisions.quality_decisions import DecisionError, Extent, QualityDecisions, waiver_state
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import DataHome, find_home
from orchestration.reporting.letters import departments_of, letters_of, write_department_letters

# Two counts of the same thing: whoever let them differ would publish what nobody can account for.
NOT_WAIVABLE = ("lake_equals_ledger", "rows_balance", "quarantine_equals_ledger")
CHECK_COLUMNS = {
    "check_id": "check",
    "dimension": "dimension",
    "class": "class",
    "threshold": "allowed",
    "owner": "owner",
    "title_en": "what",
}
RESULT_COLUMNS = {
    "month": "month",
    "check_id": "check",
    "feed": "feed",
    "check_class": "class",
    "owner_department": "owner",
    "numerator": "failing",
    "denominator": "checked",
    "threshold": "allowed",
    "state": "state",
    "waiver_id": "waiver",
    "explanation_id": "explanation",
}
CARD_COLUMNS = {
    "month": "month",
    "department": "department",
    "feed": "feed",
    "grade": "grade",
    "score": "score",
    "score_before": "month before",
    "is_on_time": "on time",
    "data_row_count": "rows",
    "accepted_ratio": "usable",
    "failed_count": "failed",
    "contradiction_count": "contradictions",
    "waived_count": "waived",
}
WAIVER_COLUMNS = {
    "waiver_id": "waiver",
    "check_id": "check",
    "division": "district",
    "month_from": "from month",
    "month_to": "to month",
    "valid_until": "until",
    "state": "state",
    "given_by": "by",
    "reason": "why",
}
RERUN = "`zhaoren run` brings it into the tables"
FeedOption = Annotated[str | None, typer.Option(help="Only this feed.")]
DepartmentOption = Annotated[str | None, typer.Option(help="Only this department, as the contracts name it.")]

quality_app = typer.Typer(help="Checks, scorecards, letters to departments, waivers.", no_args_is_help=True)


@quality_app.command()
def checks(feed: FeedOption = None, department: DepartmentOption = None, as_json: JsonOption = False) -> None:
    """The catalogue: every check with its id, dimension, class, owner, allowed share and the reason for it.

    Example: [bold]zhaoren quality checks --feed death_record[/]
    """
    frame = checks_frame(tuple(catalogue().values()))
    chosen = _where(frame, feed_or_table=feed, owner=department)
    answer(chosen, f"{chosen.height} checks", CHECK_COLUMNS, as_json=as_json)


@quality_app.command()
def results(
    month: MonthOption = None,
    feed: FeedOption = None,
    department: DepartmentOption = None,
    state: Annotated[str | None, typer.Option(help="passed, failed, not_applicable or could_not_run.")] = "failed",
    as_json: JsonOption = False,
) -> None:
    """What the checks found by month; by default those that failed. Exit code 1 where one failed without a waiver.

    Example: [bold]zhaoren quality results --month 2024-03 --department civil_affairs[/]
    """
    found = _published(find_home(), "check_result")
    chosen = _where(found, month=month_of(month), feed_owner=feed, owner_department=department, state=state)
    ordered = chosen.sort("month", "check_class", "check_id", descending=[True, False, False])
    answer(ordered, f"{ordered.height} results", RESULT_COLUMNS, as_json=as_json)
    if ordered.filter((pl.col("state") == "failed") & pl.col("waiver_id").is_null()).height:
        finish(Exit.FINISHED_WITH_PROBLEMS)


@quality_app.command()
def scorecard(
    month: MonthOption = None, feed: FeedOption = None, department: DepartmentOption = None, as_json: JsonOption = False
) -> None:
    """How each feed was in a month (default: the newest): punctuality, rows, checks, contradictions, grade.

    Example: [bold]zhaoren quality scorecard --month 2024-03[/]
    """
    cards = _published(find_home(), "feed_scorecard")
    wanted = month_of(month) or (None if feed or department else _newest(cards))
    chosen = _where(cards, month=wanted, feed=feed, department=department).sort("month", "department", "feed")
    answer(chosen, f"{chosen.height} feeds and months", CARD_COLUMNS, as_json=as_json)


@quality_app.command()
def reconciliation(as_json: JsonOption = False) -> None:
    """Rule by rule, rows set aside as ingestion states them and as the checks count them; exit code 1 if they differ.

    Example: [bold]zhaoren quality reconciliation[/]
    """
    file = find_home().reference / "rule_count.parquet"
    if not file.is_file():
        raise CommandError("nothing has been checked yet", "run `zhaoren run` first")
    counts = pl.read_parquet(file)
    differing = counts.filter(pl.col("difference") != 0)
    if as_json:
        show_json(
            {"counts": counts.height, "rows": int(counts["ledger_count"].sum()), "differing": differing.to_dicts()}
        )
    else:
        say(f"{counts.height} counts of {counts['ledger_count'].sum()} rows set aside; {differing.height} differ")
        if differing.height:
            answer(differing, "do not agree", {name: name for name in differing.columns}, as_json=False)
    if differing.height:
        finish(Exit.FINISHED_WITH_PROBLEMS)


@quality_app.command()
def letter(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Data month.")],
    out: Annotated[Path, typer.Option(help="Folder for the letters, PDF and XLSX.", file_okay=False)],
    department: Annotated[str | None, typer.Option(help="One department; default: all with something to mend.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: JsonOption = False,
) -> None:
    """Write the letter to a department: grades, what to mend or explain, examples by file, row and masked shape.

    Example: [bold]zhaoren quality letter --month 2024-03 --department civil_affairs --out letters[/]
    """
    home, day = find_home(), month_of(month)
    assert day is not None
    if language not in ("zh", "en"):
        raise typer.BadParameter("zh or en", param_hint="--language")
    cards = _published(home, "feed_scorecard")
    known = departments_of(cards, day)
    if not known or (department and department not in known):
        what = f"no department {department} with feeds in {month}" if known else f"no scorecard of {month}"
        raise CommandError(what, "`zhaoren quality scorecard --month …` shows whose feeds there are")
    wanted = [department] if department else known
    made = letters_of(home, cards, wanted, day, language, datetime.now(UTC).date())
    chosen = [one for one in made if department or any(one.counts().values())]
    written = write_department_letters(home, chosen, out, decider(None))
    if as_json:
        show_json([str(path) for path in written])
    else:
        say(f"{len(written) // 2} letters -> {out}")


@quality_app.command()
def waivers(
    every: Annotated[bool, typer.Option("--all", help="Also expired and ended ones.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Waivers in force: which check may fail, for what, until when, who said so and why.

    Example: [bold]zhaoren quality waivers --all[/]
    """
    now = datetime.now(UTC)
    rows = [{**row, "state": waiver_state(row, now)} for row in _decisions().waivers()]
    chosen = [row for row in rows if every or row["state"] == "in_force"]
    frame = pl.DataFrame(chosen, infer_schema_length=None) if chosen else pl.DataFrame()
    answer(frame, f"{len(chosen)} waivers", WAIVER_COLUMNS, as_json=as_json)


@quality_app.command()
def waive(
    check_id: Annotated[str, typer.Argument(help="Check that may fail; its id names the feed.")],
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Last day; from the next it fails again.")],
    reason: ReasonOption,
    month_from: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="First data month; default: all.")] = None,
    month_to: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Last data month; default: all.")] = None,
    division: Annotated[str | None, typer.Option(help="Only what this district sent.")] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a check fail for a while: it stays failed in all tables, marked as waived, and holds nothing.

    Example: [bold]zhaoren quality waive pension_payment.on_time --until 2024-09-30 --reason "new system"[/]
    """
    check, why = _check(check_id), checked_reason(reason)
    if check.kind in NOT_WAIVABLE:
        raise CommandError(
            f"{check_id} compares two counts and cannot be waived", "hold the delivery, or mend the cause"
        )
    extent = Extent(month_of(month_from), month_of(month_to), division)
    try:
        row = _decisions().waive((check_id, check.subject), extent, _day(until), why, decider(by), datetime.now(UTC))
    except DecisionError as error:
        raise CommandError(str(error), "name a day to come") from error
    if as_json:
        show_json(row)
    else:
        say(f"{row['waiver_id']}: {check_id} may fail until {until}; {RERUN}")


@quality_app.command("end-waiver")
def end_waiver(
    waiver_id: Annotated[str, typer.Argument(help="Waiver, as `quality waivers` names it.")],
    reason: ReasonOption,
    by: ByOption = None,
) -> None:
    """End a waiver before its day.

    Example: [bold]zhaoren quality end-waiver w-abcdefgh --reason "the new system works"[/]
    """
    try:
        _decisions().end(waiver_id, checked_reason(reason), decider(by), datetime.now(UTC))
    except DecisionError as error:
        raise CommandError(str(error), "`zhaoren quality waivers` lists those in force") from error
    say(f"{waiver_id} is ended; {RERUN}")


@quality_app.command()
def explain(
    check_id: Annotated[str, typer.Argument(help="Verifying check that failed.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Data month.")],
    reason: Annotated[str, typer.Option(help="The department's explanation; no identities.")],
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record why a verifying check failed in a month; it stays failed, marked as explained.

    Example: [bold]zhaoren quality explain pension_payment.row_count_steady --month 2024-03 --reason "arrears paid"[/]
    """
    check, day, why = _check(check_id), month_of(month), checked_reason(reason)
    assert day is not None
    if check.check_class != "verifying":
        raise CommandError(
            f"{check_id} is mandatory: it is mended, not explained", "`quality waive` where it cannot be"
        )
    row = _decisions().explain((check_id, check.subject), day, why, decider(by), datetime.now(UTC))
    if as_json:
        show_json(row)
    else:
        say(f"{row['explanation_id']}: {check_id} of {month} is explained; {RERUN}")


@quality_app.command()
def explanations(as_json: JsonOption = False) -> None:
    """Explanations that were recorded, in their order.

    Example: [bold]zhaoren quality explanations[/]
    """
    rows = _decisions().explanations()
    columns = {
        "check_id": "check",
        "month": "month",
        "explanation": "explanation",
        "given_by": "by",
        "given_at": "when",
    }
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()
    answer(frame, f"{len(rows)} explanations", columns, as_json=as_json)


def catalogue() -> dict[str, Check]:
    """Every check by its id."""
    every = (*resolve_feed_checks(load_feeds()), *resolve_contradiction_checks(), *resolve_table_checks())
    return {check.check_id: check for check in every}


def _check(check_id: str) -> Check:
    try:
        return catalogue()[check_id]
    except KeyError:
        raise CommandError(f"there is no check {check_id}", "`zhaoren quality checks` lists them") from None


def _decisions() -> QualityDecisions:
    return QualityDecisions(find_home().operations)


def _published(home: DataHome, table: str) -> pl.DataFrame:
    try:
        return read_published(home, table)
    except NotPublishedError as error:
        raise CommandError("nothing has been published yet", "run `zhaoren run` first") from error


def _where(frame: pl.DataFrame, **values: object) -> pl.DataFrame:
    for column, value in values.items():
        if value is not None:
            frame = frame.filter(pl.col(column) == pl.lit(value))
    return frame


def _newest(cards: pl.DataFrame) -> date | None:
    newest = cards.filter(pl.col("is_arrived"))["month"].max()
    return newest if isinstance(newest, date) else None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write 2024-09-30", param_hint="--until") from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(quality_app, name="quality")
