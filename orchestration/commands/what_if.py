"""``zhaoren what-if``: what another standard, or any other parameter, would change and cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from models.labels import label
from models.policy.change import Change, ChangeError, parse_change, standard_change
from orchestration.commands.arguments import JsonOption, month_of
from orchestration.console import CommandError, say, show_json, show_table
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import find_home
from orchestration.questions.scratch import ScratchError

COLUMNS = {
    "area": "area", "layer": "layer by rule", "households_before": "households now", "households_after": "then",
    "households_gained": "gained", "households_lost": "lost", "persons_before": "persons now", "persons_after": "then",
    "cost_before_yuan": "cost a month now", "cost_after_yuan": "then", "cost_difference_yuan": "difference",
    "registered_cost_difference_yuan": "of it registered",
}  # fmt: skip


def what_if(
    standard: Annotated[
        str | None, typer.Option(metavar="+N%", help="The dibao standard raised, lowered or set (+5%, -5%, 800).")
    ] = None,
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PARAMETER[:KEY]=VALUE|+N%|-N%", help="Any parameter; may be repeated."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Code of the county where it changes; default: the city.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Data month; default: the newest.")] = None,
    out: Annotated[Path | None, typer.Option(help="Workbook to write, townships included.")] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en, of the workbook; default: as the lists.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute layers anew with other values of policy, and compare: households, persons and monthly cost.

    What is derived from a parameter follows it (the marginal line and the destitute standard the dibao standard).
    Nothing is changed: policy stays as its files say.

    Example: [bold]zhaoren what-if --standard +5% --out raised.xlsx[/]
    """
    from orchestration.questions import means_check  # slow to import
    from orchestration.questions.what_if import NoEffectError, counties_of
    from orchestration.questions.what_if import what_if as computed

    home = find_home()
    changes = _changes(standard, changed or [])
    counties = counties_of(region)
    if not counties:
        raise typer.BadParameter(f"{region} is no county of the city", param_hint="--region")
    try:
        day = month_of(month) or means_check.newest_month(home)
        table = computed(home, changes, day, counties)
    except NotPublishedError as error:
        raise CommandError(f"no table {error} has been published", "run `zhaoren run` first") from error
    except (ChangeError, NoEffectError) as error:
        raise CommandError(f"no effect: {error}", "`zhaoren policy show` lists parameters and values") from error
    except ScratchError as error:
        raise CommandError(f"it could not be computed: {error}", "run `zhaoren doctor`") from error
    if table.is_empty():
        raise CommandError(f"nothing is known of {day:%Y-%m} there", "name a month that `zhaoren status` shows as done")
    told = [*([f"dibao_standard={standard}"] if standard else []), *(changed or [])]
    language = lang or home.settings().lists.language
    if out is not None:
        from workbench.what_if import write_workbook

        out.parent.mkdir(parents=True, exist_ok=True)
        write_workbook(out, table, told, day, language)
    _tell(table, told, f"{day:%Y-%m}", language, as_json=as_json)


def _changes(standard: str | None, others: list[str]) -> list[Change]:
    try:
        changes = [standard_change(standard)] if standard else []
        changes += [parse_change(text) for text in others]
    except ChangeError as error:
        raise typer.BadParameter(str(error), param_hint="--standard / --set") from error
    if not changes:
        raise typer.BadParameter("say what changes: --standard +5% or --set PARAMETER=VALUE")
    return changes


def _tell(table: pl.DataFrame, told: list[str], month: str, lang: str, *, as_json: bool) -> None:
    from workbench.what_if import layer_name, total

    if as_json:
        numbers = {name: float(value) if name.endswith("yuan") else value for name, value in total(table).items()}
        money = table.with_columns(pl.col("^.*_yuan$").cast(pl.Float64))
        show_json({"month": month, "changes": told, "total": numbers, "rows": money.to_dicts()})
        return
    for level in ("city", "county"):
        rows = [
            {
                **row,
                "layer": layer_name(row["layer"], lang),
                "area": row["area"] or label(f"what_if.level.{level}", lang),
            }
            for row in table.filter(pl.col("level") == level).iter_rows(named=True)
        ]
        show_table(f"{', '.join(told)}: {month}, {level}", rows, COLUMNS)
    sums = total(table)
    say(
        f"{sums['households_moved']} households change layer, {sums['households_gaining_a_layer']} gain one, "
        f"{sums['households_losing_all_layers']} lose all; {sums['cost_difference_yuan']:+,} yuan a month, "
        f"{sums['registered_cost_difference_yuan']:+,} for those registered today"
    )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("what-if")(what_if)
