"""The lists of the statistics: every figure is defined, counted somewhere and looked at by a check that is made."""

import re
from pathlib import Path

import pytest

from models.contract import load_feeds
from models.labels import load_labels
from models.statistics import load_checks, load_figures, load_outlier_measures
from models.statistics.catalogue import SUBJECTS
from models.statistics.catalogue import load_figures as read_figures

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "statistics"


def test_every_figure_says_in_both_languages_what_it_counts() -> None:
    for figure in load_figures().values():
        texts = (figure.title_zh, figure.title_en, figure.definition_zh, figure.definition_en)
        assert all(texts), figure.figure
        assert re.search(r"[\u4e00-\u9fff]", figure.title_zh), figure.figure
        assert not re.search(r"[\u4e00-\u9fff]", figure.title_en + figure.definition_en), figure.figure


def test_every_source_is_a_table_that_the_figures_are_counted_over() -> None:
    counted = set(re.findall(r"'(\w+)': ref\('\1'\)", (MODELS / "figure_month_village.sql").read_text()))
    assert {figure.source for figure in load_figures().values() if figure.source} == counted | {"register_flow_area"}


def test_figures_rest_on_known_feeds_and_belong_to_a_subject() -> None:
    figures = load_figures().values()
    assert {figure.feed for figure in figures if figure.feed} <= set(load_feeds())
    assert {figure.subject for figure in figures} == set(SUBJECTS)


def test_every_check_looks_at_a_figure_and_its_reasons_have_words() -> None:
    named = {check for figure in load_figures().values() for check in figure.checks}
    # These two compare certificates and persons, not a figure.
    assert set(load_checks()) - named == {"entitled_and_paid", "paid_and_registered"}
    for check in load_checks().values():
        assert all(f"statistics.reason.{reason}" in load_labels() for reason in check.reasons), check.check


def test_a_high_and_a_low_rate_mean_different_things() -> None:
    for measure in load_outlier_measures().values():
        assert measure.high != measure.low
        assert f"statistics.outlier.direction.{measure.high}" in load_labels()
        assert f"statistics.outlier.direction.{measure.low}" in load_labels()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("numerator: persons\n  denominator: nobody", "nobody"),
        ("source: t", "neither a count nor a rate"),
        ("source: t\n  expression: count(*)\n  checks: [unheard_of]", "unheard_of"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: str, says: str) -> None:
    path = tmp_path / "figures.yaml"
    path.write_text(
        "figures:\n- figure: f\n  subject: register\n  title: {zh: 数, en: n}\n  definition: {zh: 数, en: n}\n"
        f"  unit: person\n  {entry}\n"
    )
    with pytest.raises(ValueError, match=says):
        read_figures(path)
