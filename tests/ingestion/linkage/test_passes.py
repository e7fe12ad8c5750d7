"""Each pass: a hit in which only it fires, and the near misses that it must leave alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.linkage.known import FACTS, PEOPLE, PRESENT, KnownFrames
from ingestion.linkage.pairs import pairs
from models.linkage import LinkageError, load_linkage
from tests.ingestion.linkage.conftest import FATHER, MOTHER, NAMES, OTHER_TWIN, TWIN, Passes, frame, number

BORN = date(1980, 1, 1)
NEWCOMER = number("42070319820914999")
WRONG_ORDER = FATHER[:15] + "9" + FATHER[16:]
WRONG_YEAR = FATHER[:9] + "5" + FATHER[10:]


def told(link: dict[str, Any] | None) -> tuple[str, str, str] | None:
    return (link["pass"], link["state"], link["id_number"]) if link else None


@pytest.mark.parametrize(
    "text",
    [WRONG_ORDER, FATHER[:17] + "0", FATHER[:3] + FATHER[4] + FATHER[3] + FATHER[5:], FATHER[:2] + FATHER[3:],
     FATHER[:3] + FATHER[2] + FATHER[3:], FATHER[:5] + "O" + FATHER[6:]],
)  # fmt: skip
def test_typing_error_outside_of_the_birth_date_with_the_name(passes: Passes, text: str) -> None:
    assert told(passes.link(text=text, name="张伟")) == ("typing_error", "proposed", FATHER)


@pytest.mark.parametrize(
    ("claim", "state"),
    [
        ({"born_on": BORN}, "proposed"),  # the row says the birth date in another column
        ({"facts": [("employer", "E1")]}, "proposed"),  # a second fact
        ({"facts": [("employer", "E2")]}, "review"),
        ({}, "review"),  # the slip is in the birth date, and nothing else says it
        ({"born_on": date(1985, 1, 1)}, "review"),  # the other column says another day
        ({"born_on": BORN, "sex": "2"}, "review"),
    ],
)
def test_typing_error_inside_the_birth_date(passes: Passes, claim: dict[str, Any], state: str) -> None:
    passes.facts = [(FATHER, "employer", "E1")]
    assert told(passes.link(text=WRONG_YEAR, name="张伟", **claim)) == ("typing_error", state, FATHER)


@pytest.mark.parametrize("name", ["李伟", "王芳", "张伟明明", None])
def test_another_name_is_no_typing_error(passes: Passes, name: str | None) -> None:
    assert passes.link(text=WRONG_ORDER, name=name) is None


@pytest.mark.parametrize("name", ["张玮", "张伟明"])
def test_a_variant_of_the_name_is_for_review(passes: Passes, name: str) -> None:
    assert told(passes.link(text=WRONG_ORDER, name=name)) == ("typing_error", "review", FATHER)


def test_two_slips_are_no_typing_error(passes: Passes) -> None:
    assert passes.link(text=WRONG_ORDER[:2] + "5" + WRONG_ORDER[3:17] + "0", name="张伟") is None


def test_a_former_name_is_a_name(passes: Passes) -> None:
    passes.people.append((FATHER, "张大牛"))
    assert told(passes.link(text=WRONG_ORDER, name="张大牛")) == ("typing_error", "proposed", FATHER)


def test_twins_are_never_proposed_for_each_other(passes: Passes) -> None:
    """Same birthday, numbers two characters apart, one household: the name alone tells them apart, and it does."""
    passes.facts = [(who, "hukou_number", "H1") for who in (TWIN, OTHER_TWIN)]
    slips = {TWIN[:place] + written + TWIN[place + 1 :] for place in range(18) for written in "0123456789X"} - {TWIN}
    row = {"name": "张文", "born_on": date(2010, 3, 5), "facts": [("hukou_number", "H1")]}
    for known in (list(NAMES.items()), [(OTHER_TWIN, "张武")]):
        passes.people = known
        found = passes.links(*({**row, "text": text} for text in sorted(slips)))
        assert all(link["id_number"] != OTHER_TWIN for link in found if link["state"] == "proposed")
    assert found, "for review they may be"


def test_the_number_of_one_twin_with_the_name_of_the_other_is_for_review(passes: Passes) -> None:
    passes.facts = [(who, "hukou_number", "H1") for who in (TWIN, OTHER_TWIN)]
    claim = {"text": TWIN[:3] + "9" + TWIN[4:], "name": "张武", "born_on": date(2010, 3, 5)}
    links = passes.links({**claim, "facts": [("hukou_number", "H1")]})
    assert {link["state"] for link in links} == {"review"}


def test_siblings_of_one_name_are_told_apart_by_the_birth_date(passes: Passes) -> None:
    sibling = number("42070219860101101")
    passes.people.append((sibling, "张伟"))
    assert told(passes.link(text=FATHER[:9] + "7" + FATHER[10:], name="张伟", born_on=BORN))  # between both years
    links = passes.links({"text": FATHER[:9] + "3" + FATHER[10:], "name": "张伟", "born_on": date(1986, 1, 1)})
    assert all(link["id_number"] != FATHER for link in links if link["state"] == "proposed")


def test_two_candidates_of_one_name_are_for_review(passes: Passes) -> None:
    namesake = number("42070219800101103")
    passes.people.append((namesake, "张伟"))
    # One slip from both: the order of one with the check character of the other.
    text = namesake[:17] + FATHER[17]
    links = passes.links({"text": text, "name": "张伟", "born_on": BORN})
    assert {link["state"] for link in links} == {"review"}
    assert {link["id_number"] for link in links} == {FATHER, namesake}


def test_who_has_a_row_in_that_register_is_not_meant_by_another(passes: Passes) -> None:
    passes.rows = [("d1", FATHER)]
    assert told(passes.link(text=WRONG_ORDER, name="张伟", group="d1")) == ("typing_error", "review", FATHER)
    assert told(passes.link(text=WRONG_ORDER, name="张伟", group="d2")) == ("typing_error", "proposed", FATHER)


def test_two_rows_of_a_register_cannot_both_be_one_person(passes: Passes) -> None:
    claim = {"text": WRONG_ORDER, "name": "张伟", "group": "d1"}
    assert {link["state"] for link in passes.links(claim, claim)} == {"review"}
    assert {link["state"] for link in passes.links(claim, {**claim, "group": None})} == {"proposed"}


@pytest.mark.parametrize("text", [FATHER[:15] + "000", f"{FATHER[0]}.{FATHER[1:15]}E+17"])
def test_precision_lost_by_fifteen_digits_and_name(passes: Passes, text: str) -> None:
    claim = {"reason": "id_precision_lost", "text": text}
    assert told(passes.link(**claim, name="张伟")) == ("precision_lost", "proposed", FATHER)
    assert passes.link(**claim, name="张武") is None


def test_fourteen_digits_need_a_second_fact(passes: Passes) -> None:
    passes.facts = [(FATHER, "school", "S")]
    claim = {"reason": "id_precision_lost", "text": f"{FATHER[0]}.{FATHER[1:14]}E+17", "name": "张伟"}
    assert told(passes.link(**claim)) == ("precision_lost", "review", FATHER)
    assert told(passes.link(**claim, facts=[("school", "S")])) == ("precision_lost", "proposed", FATHER)


def test_fewer_than_fourteen_digits_say_nothing(passes: Passes) -> None:
    assert passes.link(reason="id_precision_lost", text="4.20702198E+17", name="张伟") is None


@pytest.mark.parametrize(
    ("claim", "state"),
    [
        ({"born_on": date(2010, 3, 5), "facts": [("hukou_number", "H1")]}, "proposed"),
        ({"born_on": date(2010, 3, 6), "facts": [("hukou_number", "H1")]}, "review"),
        ({"facts": [("hukou_number", "H1")]}, "review"),
        ({"born_on": date(2010, 3, 5), "facts": [("village", "420702100001")]}, "review"),
        ({"born_on": date(2010, 3, 5), "facts": [("hukou_number", "H2")]}, None),
    ],
)
def test_a_child_without_number_by_name_birth_date_and_household(
    passes: Passes, claim: dict[str, Any], state: str | None
) -> None:
    passes.facts = [(TWIN, "hukou_number", "H1"), (OTHER_TWIN, "hukou_number", "H1"), (TWIN, "village", "420702100001")]
    found = told(passes.link(reason="required_missing", name="张文", **claim))
    assert found == (("household", state, TWIN) if state else None)


@pytest.mark.parametrize(
    ("claim", "state"),
    [
        ({"name": "李秀英"}, "proposed"),  # known, and of that name
        ({"name": "李秀"}, "review"),
        ({"name": "王芳"}, None),
        (
            {"name": "王芳", "carried": number("42070319820914999"), "text": number("42070319820914999")[:17] + "X"},
            "proposed",
        ),
        ({"name": "王芳", "carried": NEWCOMER, "text": "nonsense"}, "review"),
    ],
)
def test_a_certificate_that_carries_the_number(passes: Passes, claim: dict[str, Any], state: str | None) -> None:
    found = passes.link(**{"text": "nonsense", "carried": MOTHER, **claim})
    assert (found["pass"], found["state"]) == ("certificate", state) if found else state is None


def test_certificate_and_typing_error_that_disagree_are_for_review(passes: Passes) -> None:
    passes.people.append((MOTHER, "张伟"))
    links = passes.links({"text": WRONG_ORDER, "name": "张伟", "carried": MOTHER})
    assert {link["state"] for link in links} == {"review"}


DAMAGED = st.sampled_from([FATHER, TWIN, OTHER_TWIN, MOTHER]).flatmap(
    lambda good: st.tuples(st.just(good), st.integers(0, 17), st.sampled_from("0123456789X"))
)


@settings(deadline=None, max_examples=60)
@given(DAMAGED, st.sampled_from([*NAMES.values(), "王芳", None]), st.sampled_from(["id_invalid", "id_precision_lost"]))
def test_a_proposal_is_always_of_the_name_in_the_row(
    claim: tuple[str, int, str], name: str | None, reason: str
) -> None:
    good, place, written = claim
    text = good[:place] + written + good[place + 1 :]
    passes = Passes()
    for link in passes.links({"text": text, "name": name, "reason": reason}):
        if link["state"] == "proposed":
            assert NAMES[link["id_number"]] == name


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([FATHER, TWIN, OTHER_TWIN, MOTHER]), st.sampled_from(list(NAMES.values())))
def test_a_valid_number_is_never_mapped_to_another(good: str, name: str) -> None:
    """Whatever is asked about a valid number, nobody else is ever proposed for it."""
    passes = Passes()
    passes.facts = [(who, "hukou_number", "H1") for who in NAMES]
    links = passes.links({"text": good, "name": name, "facts": [("hukou_number", "H1")]})
    assert all(link["id_number"] == good for link in links if link["state"] == "proposed")


def test_pairs_of_valid_numbers_are_listed_and_never_more() -> None:
    old = number("42070219800101108")  # the 15-digit form written with one wrong digit became this one
    people = [
        *NAMES.items(),
        (old, "张伟"),
        (number("42070319800101777"), "张伟"),
        (number("42070219800101555"), "李四"),
    ]
    facts = [(FATHER, "hukou_number", "H1")]
    known = KnownFrames(frame(people, PEOPLE), frame(facts, FACTS), pl.DataFrame(schema=PRESENT))
    found = pairs(known, load_linkage())
    assert found.rows() == [(FATHER, old, "name,birth_date,one_edit")]
    # The third of that name and birthday is far off; sharing a household it is worth a look.
    known = KnownFrames(frame(people, PEOPLE), frame([*facts, (people[5][0], "hukou_number", "H1")], FACTS),
                        pl.DataFrame(schema=PRESENT))  # fmt: skip
    assert {row[:2] for row in pairs(known, load_linkage()).rows()} == {(FATHER, old), (FATHER, people[5][0])}


def test_twins_are_no_pair() -> None:
    facts = [(who, "hukou_number", "H1") for who in NAMES]
    known = KnownFrames(frame(list(NAMES.items()), PEOPLE), frame(facts, FACTS), pl.DataFrame(schema=PRESENT))
    assert pairs(known, load_linkage()).is_empty()


def test_a_declaration_that_names_what_does_not_exist_is_an_error(tmp_path: Any) -> None:
    from models.linkage import LINKAGE_FILE

    text = LINKAGE_FILE.read_text(encoding="utf-8")
    for at, (old, new) in enumerate([("population_register.hukou_no", "population_register.nothing"),
                                     ("[name, birth_date]", "[name, mood]")]):  # fmt: skip
        path = tmp_path / f"{at}.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(LinkageError):
            load_linkage(path)
