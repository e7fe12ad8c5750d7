"""The catalogue of what may be due: every word has a text, every code and indicator exists."""

from pathlib import Path

import pytest

from models.codes import load_code_tables
from models.labels import label, places_of
from models.policy import load_indicators
from models.policy.entitlements import load_assistance


def test_every_word_of_the_catalogue_has_a_text() -> None:
    for item in load_assistance().values():
        for lang in ("zh", "en"):
            assert label(f"assistance.{item.assistance}", lang)
            assert all(label(f"verify.{code}", lang) for code in item.verify), item.assistance
            assert all(label(f"condition.{code}", lang) for code in item.conditions), item.assistance


def test_conditions_show_a_value_and_a_line_and_nothing_else() -> None:
    for item in load_assistance().values():
        for code in item.conditions:
            assert places_of(label(f"condition.{code}")) <= {"value", "line"}, code


def test_codes_and_indicators_exist() -> None:
    tables = load_code_tables()
    for item in load_assistance().values():
        known = tables["programme" if item.kind == "programme" else "benefit"].labels
        assert set(item.codes.values()) <= set(known), item.assistance
        assert set(item.after) <= set(load_indicators()), item.assistance


def test_every_programme_and_benefit_of_the_register_stands_in_it() -> None:
    codes = {code for item in load_assistance().values() for code in item.codes.values()}
    # Dibao and destitute support come with their programme; the price subsidy is paid without anybody asking.
    assert set(load_code_tables()["benefit"].labels) - codes == {"DB", "TK", "WJ"}
    assert set(load_code_tables()["programme"].labels) - codes == set()


def test_dibao_has_the_code_of_the_place() -> None:
    dibao = load_assistance()["dibao"]
    assert (dibao.code("urban"), dibao.code("rural"), dibao.code(None)) == ("11", "12", None)
    assert load_assistance()["destitute"].code(None) == "21"


def test_an_entry_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "entitlements.yaml"
    file.write_text("assistance: [{assistance: a, kind: gift, codes: {}, paid: once, conditions: [], verify: []}]")
    with pytest.raises(ValueError, match="entry 1"):
        load_assistance(file)
