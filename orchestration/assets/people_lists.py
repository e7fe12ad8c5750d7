"""Lists of persons beside the alerts: old people and children to visit, payees of the price subsidy.

Belongs here: reading published tables, asking the vault for the names a list needs, calling workbench.
"""

from __future__ import annotations

from datetime import date

import dagster as dg
import polars as pl

from orchestration.assets.outputs import GROUP, OWNERS
from orchestration.assets.warehouse import PUBLISHED
from orchestration.home.outputs import CHILDREN, ELDERS, PRICE_SUBSIDY, listed_on, month_folder, record_lists
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.home.stores import vault_of
from orchestration.resources import HomeResource
from workbench.child_visits import write_child_visits
from workbench.elder_visits import write_elder_visits
from workbench.price_subsidy import newly_triggered, write_price_subsidy


@dg.asset(
    key=["outputs", "visit_lists"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="Old people and children to visit, one workbook a township and kind. Personal data for its readers.",
)
def visit_lists(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write the lists of the newest month of the run: a visit of a month gone by serves nobody."""
    paths, language = home.home, home.settings.lists.language
    month = max(home.plan.months)
    day = listed_on(month)
    elders = _of_month(read_published(paths, "elder_visit_month"), month)
    children = _of_month(read_published(paths, "child_state_month"), month)
    keys = pl.concat([elders["person_key"], children["person_key"], children["guardian_key"]])
    people = _identities(paths, keys)
    folder = month_folder(paths, month)
    old = write_elder_visits(elders, people, month, folder / ELDERS, language, listed_on=day, identified=True)
    young = write_child_visits(children, people, month, folder / CHILDREN, language, listed_on=day, identified=True)
    for part in (ELDERS, CHILDREN):
        (folder / part).chmod(0o700)
    record_lists(paths, "old people to visit", month, old, elders.height)
    record_lists(paths, "children to visit", month, young, children.height)
    return dg.MaterializeResult(metadata={"elder_workbooks": len(old), "child_workbooks": len(young)})


@dg.asset(
    key=["outputs", "price_subsidy_lists"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="Payees of the price subsidy, one workbook a triggered price month. Personal data for its readers.",
)
def price_subsidy_lists(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write the payees of every price month that a month of the run first knows to trigger."""
    paths, language = home.home, home.settings.lists.language
    triggers = read_published(paths, "price_subsidy_month")
    months = [month for month in home.plan.months if newly_triggered(triggers, month)]
    payees = read_published(paths, "price_subsidy_payee").filter(pl.col("month").is_in(months))
    areas = read_published(paths, "price_subsidy_month_area")
    people = _identities(paths, payees["person_key"])
    for month in months:
        folder = month_folder(paths, month) / PRICE_SUBSIDY
        written = write_price_subsidy(
            triggers, payees, areas, people, month, folder, language, listed_on=listed_on(month), identified=True
        )
        folder.chmod(0o700)
        record_lists(paths, "payees of the price subsidy", month, written, payees.height)
    return dg.MaterializeResult(metadata={"triggered_months": len(months)})


def _of_month(frame: pl.DataFrame, month: date) -> pl.DataFrame:
    return frame.filter(pl.col("month") == month)


def _identities(paths: DataHome, keys: pl.Series) -> pl.DataFrame:
    return vault_of(paths).identities([str(key) for key in keys.drop_nulls().unique().sort()])


PEOPLE_ASSETS = [visit_lists, price_subsidy_lists]
