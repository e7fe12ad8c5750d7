"""The households export says of every household of the sample city which layer the rules give it, and what is due.

Belongs here: what must hold for all households. Single rules are proved by the policy cases.
"""

from __future__ import annotations

import polars as pl
import pytest

from models.labels import load_labels
from orchestration.home.settings import DataHome
from orchestration.questions.exports import export_households

pytestmark = pytest.mark.slow
LAYERS = {"destitute", "dibao", "marginal", "rigid_expenditure", "relapse_risk", "other_hardship", "none", "unknown"}


@pytest.fixture(scope="module")
def households(sample_home: DataHome) -> pl.DataFrame:
    return export_households(sample_home, None, identified=True)


def test_every_household_has_a_layer_by_rule_and_a_reason_in_words(households: pl.DataFrame) -> None:
    assert set(households["rule_layer"].to_list()) <= LAYERS
    assert {"dibao", "none"} <= set(households["rule_layer"].to_list())
    reasons = households["rule_reason"].str.split(",").explode().unique().to_list()
    assert [reason for reason in reasons if f"rule_reason.{reason}" not in load_labels()] == []


def test_dibao_is_due_in_whole_yuan_and_only_below_the_line(households: pl.DataFrame) -> None:
    dibao = households.filter(pl.col("rule_layer") == "dibao")
    assert dibao.filter(pl.col("income_pc_yuan") > pl.col("line_yuan")).is_empty()
    assert dibao.filter(pl.col("amount_due_yuan") < 1).is_empty()
    assert dibao.filter(pl.col("amount_due_yuan") % 1 != 0).is_empty()
    assert dibao.filter(~pl.col("is_within_property_limit")).is_empty()


def test_who_may_have_dibao_alone_is_named_to_those_who_may_know(households: pl.DataFrame) -> None:
    single = households.filter(pl.col("single_person_key").is_not_null())
    assert set(single["rule_layer"].to_list()) <= {"marginal"}
    known = single.filter(pl.col("single_person_id_number").is_not_null())
    assert known.height == single.height
    assert known.filter(~pl.col("member_id_numbers").list.contains(pl.col("single_person_id_number"))).is_empty()
