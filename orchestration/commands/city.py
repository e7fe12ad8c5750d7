"""``zhaoren simulate`` and ``zhaoren demo``: a synthetic city, alone or all the way to its lists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingestion.database import is_there
from orchestration.commands.arguments import month_of
from orchestration.commands.runs import report, whole_way
from orchestration.console import CommandError, say
from orchestration.home.settings import find_home
from orchestration.warehouse.run_plan import Wish

HouseholdsOption = Annotated[int, typer.Option(min=50, help="Households in the city.")]
MonthsOption = Annotated[int, typer.Option(min=1, max=120, help="Months of deliveries.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]
FIRST_MONTH = "2023-01"
DEMO_HOUSEHOLDS, DEMO_MONTHS, DEMO_SEED = 600, 14, 1


def simulate(
    out: Annotated[Path, typer.Option(help="Empty folder; gets inbox/ and, apart from it, truth/.")],
    households: HouseholdsOption = DEMO_HOUSEHOLDS,
    months: MonthsOption = DEMO_MONTHS,
    seed: SeedOption = DEMO_SEED,
    first_month: Annotated[str, typer.Option(metavar="YYYY-MM", help="First data month.")] = FIRST_MONTH,
    defects: Annotated[float, typer.Option(min=0, max=5, help="0: clean files; 1: as real departments send.")] = 1.0,
) -> None:
    """Write a synthetic city's deliveries, and its truth apart from them.

    Example: [bold]zhaoren simulate --out city --households 5000 --months 24 --seed 7[/]
    """
    from simulator import simulate as simulate_city  # slow to import

    if out.exists() and any(out.iterdir()):
        raise CommandError(f"{out} is not empty", "name a new folder with --out")
    first = month_of(first_month)
    assert first is not None
    summary = simulate_city(out, households, months, seed, first_month=first, defects=defects)
    say(f"{summary} -> {out / 'inbox'} (truth: {out / 'truth'})")


def demo(
    households: HouseholdsOption = DEMO_HOUSEHOLDS, months: MonthsOption = DEMO_MONTHS, seed: SeedOption = DEMO_SEED
) -> None:
    """Simulate a city into the data home, run all its months, and say where lists and reports are.

    The data home must be empty or hold the demo city; real data is never mixed with synthetic data.

    Example: [bold]zhaoren demo --households 2000 --months 18 --seed 3[/]
    """
    home = find_home()
    city = home.root / "demo_city"
    if is_there(home.ledger) and not city.exists():
        raise CommandError(f"{home.root} already holds deliveries", "choose an empty home: zhaoren --home DIR demo")
    home.create()
    stamp = f"households={households} months={months} seed={seed}"
    _simulate_once(city, households, months, seed, stamp)
    say(f"synthetic city: {stamp}")
    result = whole_way(home, city / "inbox", Wish(None, datetime.now(UTC)))
    # The simulated departments send faulty files on purpose: rejected ones are part of the show, not a failure.
    try:
        report(home, result, as_json=False)
    except typer.Exit:
        say("(the rejected and held deliveries above were planted; a real run would end with exit code 1)")


def _simulate_once(city: Path, households: int, months: int, seed: int, stamp: str) -> None:
    """Simulate unless the same city lies there; another one is a mistake of the caller."""
    from simulator import simulate as simulate_city  # slow to import

    note = city / "settings.txt"
    if note.is_file() and note.read_text(encoding="utf-8") == stamp:
        return
    if city.exists():
        raise CommandError(f"{city} holds another city", "remove the data home, or choose another with --home")
    first = month_of(FIRST_MONTH)
    assert first is not None
    simulate_city(city, households, months, seed, first_month=first)
    note.write_text(stamp, encoding="utf-8")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(demo)
    app.command()(simulate)
