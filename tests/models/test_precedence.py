"""Who is believed: the declared order of sources, each a feed or the ID number."""

from pathlib import Path

import pytest

from models.contract import load_feeds
from models.policy.precedence import ID_NUMBER, load_precedence


def ranked(attribute: str) -> list[str]:
    return [rank.source for rank in load_precedence() if rank.attribute == attribute]


def test_every_source_is_a_feed_or_the_id_number() -> None:
    assert {rank.source for rank in load_precedence()} <= {*load_feeds(), ID_NUMBER}


def test_the_number_goes_before_the_register_and_the_death_record_before_everything() -> None:
    assert ranked("birth_date")[0] == ranked("sex")[0] == ID_NUMBER
    assert ranked("life")[:2] == ["death_record", "population_register"]
    assert ranked("place")[0] == ranked("name")[0] == "population_register"


def test_every_attribute_says_why_in_both_languages() -> None:
    assert all(rank.reason_zh and rank.reason_en for rank in load_precedence())


def test_a_source_named_twice_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "precedence.yaml"
    file.write_text("place: {reason: {zh: 因, en: why}, sources: [elder_register, elder_register]}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="place names a source twice"):
        load_precedence(file)
