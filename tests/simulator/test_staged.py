"""Staged cases: what is altered, for whom, and that every indicator has true cases and near misses.

Belongs here: the mechanics and the table of scripts. Whether the rules find the cases is a benchmark
(``benchmarks/indicator_truth``).
"""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.contract import load_feeds
from models.policy import load_indicators
from simulator import simulate
from simulator.planted.scripts import SCRIPTS, stage
from simulator.planted.stage import Edit, _edited

# A model's score is no fact that departments could tell.
UNTOLD = {"N30"}
FRAME = pl.DataFrame(
    {
        "id_number": ["a", "a", "b"],
        "benefit": ["DB", "CH", "DB"],
        "amount": [100.0, 50.0, 80.0],
        "paid_on": [date(2024, 3, 1)] * 3,
        "_spared": [True, True, False],
    }
)


def edit(kind: str, **rest: object) -> Edit:
    return Edit("assistance_payment", 0, 9, kind, "a", **rest)  # type: ignore[arg-type]


def test_drop_leaves_out_what_matches_and_nothing_else() -> None:
    left = _edited(FRAME, edit("drop", where={"benefit": "DB"}), 3)
    assert left.rows() == FRAME.rows()[1:]


def test_alter_and_times_touch_the_chosen_alone() -> None:
    altered = _edited(FRAME, edit("alter", values={"benefit": "TK"}), 3)
    assert altered["benefit"].to_list() == ["TK", "TK", "DB"]
    cut = _edited(FRAME, edit("times", values={"amount": 0.4}), 3)
    assert cut["amount"].to_list() == [40.0, 20.0, 80.0]


def test_add_puts_in_a_spared_row_whose_values_may_follow_the_month() -> None:
    added = _edited(FRAME, edit("add", values={"benefit": lambda month: f"M{month}", "amount": 7}), 3)
    assert added.rows()[3] == ("a", "M3", 7.0, None, True)


def test_an_edit_holds_in_its_months_for_its_feed() -> None:
    one = Edit("income_tax", 5, 7, "drop", "a")
    assert [one.holds("income_tax", month) for month in (4, 5, 7, 8)] == [False, True, True, False]
    assert not one.holds("pension_payment", 5)


def test_scripts_speak_of_known_feeds_and_indicators_under_names_of_their_own() -> None:
    names = [script.what for script in SCRIPTS]
    assert len(names) == len(set(names))
    assert {script.indicator for script in SCRIPTS} <= set(load_indicators())
    assert {feed for script in SCRIPTS for feed in script.evidence} <= set(load_feeds())


@pytest.mark.parametrize("households", [1, 400, 1_199])
def test_a_small_city_is_not_staged(households: int) -> None:
    played = stage(3, households, 24_276, 24_289)
    assert not any(played._starts(script, month) for script in SCRIPTS for month in range(24_276, 24_290))


def test_every_indicator_has_true_cases_and_near_misses(tmp_path: Path) -> None:
    city = simulate(tmp_path, 2_400, 12, seed=101, defects=0, formats="csv")
    kinds, roles = defaultdict(set), defaultdict(set)
    for line in (city.truth / "planted.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        for indicator in case["indicator"]:
            kinds[indicator].add(case["near_miss"])
            roles[indicator, case["id_number"], case["event_month"]].add(case["near_miss"])
    wanted = set(load_indicators()) - UNTOLD
    assert {indicator for indicator in wanted if kinds[indicator] != {True, False}} == set()
    assert {about[0] for about, said in roles.items() if len(said) > 1} == set()
