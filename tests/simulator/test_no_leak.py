"""Nothing gives the outcome away: not identifiers, order or numbering, and no feed knows who will ask for help."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from models.contract import load_feeds
from simulator import assistance
from simulator.city import City
from simulator.course import months_of
from simulator.feeds.registry import frame_of

FIRST = date(2023, 1, 1)
# Feeds of the office itself, which tell of its own work; all others must not know of it.
OF_THE_OFFICE = {
    "assistance_register",
    "assistance_payment",
    "temporary_assistance",
    "visit_outcome",
    "community_report",
    "check_request",
}
# Columns through which aid itself reaches another department: what aid pays of a bill, aid for pupils.
AIDED = {"medical_settlement": ["medical_aid_paid", "out_of_pocket"], "student_register": ["aided"]}


def _formal_traits(city: City) -> npt.NDArray[np.float64]:
    """What a household's numbers and places in files look like, nothing of what they mean."""
    people, households = city.persons, city.households
    reference = city.reference_person(city.at_home)
    known = np.maximum(reference, 0)
    identifier = people.id_number.gather(known.astype(np.uint32))
    register = frame_of("population_register", city)["id_number"]
    place = pl.DataFrame({"id": register, "place": np.arange(len(register))}).unique("id")
    found = pl.DataFrame({"id": identifier}).join(place, on="id", how="left", maintain_order="left")["place"]
    numbers = [
        identifier.str.slice(14, 3).cast(pl.Float64),
        identifier.str.slice(0, 6).cast(pl.Float64),
        households.hukou_no.cast(pl.Float64),
        households.account_no.cast(pl.Float64),
        people.phone.gather(known.astype(np.uint32)).cast(pl.Float64),
        people.name.gather(known.astype(np.uint32)).str.len_chars().cast(pl.Float64),
        found.fill_null(-1).cast(pl.Float64),
        pl.Series(households.house).cast(pl.Float64),
        pl.Series(people.spared[known]).cast(pl.Float64),
    ]
    return np.column_stack([number.to_numpy() for number in numbers])


@pytest.fixture(scope="module")
def outcome() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Formal traits of households outside of the register in the second month, and who enters within the next six."""
    traits, outside, entered = np.empty((0, 0)), np.empty(0, dtype=bool), np.empty(0, dtype=bool)
    for month, city in enumerate(months_of(8, 12_000, 8, FIRST)):
        if month == 1:
            traits = _formal_traits(city)
            outside = (city.households.programme == 0) & (city.count(city.at_home) > 0)
            entered = np.zeros(len(outside), dtype=bool)
        elif month > 1:
            entered |= city.households.approved[: len(entered)] >= city.start
    return traits[outside], entered[outside]


def _auc(traits: npt.NDArray[np.float64], label: npt.NDArray[np.bool_]) -> float:
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, learning_rate=0.1, random_state=0)
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    score = cross_val_predict(model, traits, label, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(label, score))


def test_identifiers_and_order_say_nothing(
    outcome: tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]],
) -> None:
    traits, label = outcome
    assert label.sum() > 60
    assert 0.4 < _auc(traits, label) < 0.6


def test_a_planted_leak_would_be_seen(outcome: tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]) -> None:
    """The test above can fail: households numbered by their outcome are found at once."""
    traits, label = outcome
    numbered = traits.copy()
    numbered[:, 2] = np.argsort(np.argsort(~label, kind="stable"), kind="stable")
    assert _auc(numbered, label) > 0.9


def test_other_departments_do_not_know_who_asks_for_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """A city where nobody asks and one where everybody does look the same to every department but the office.

    So no feed of theirs can tell who will enter the register, but through need, which both cities share.
    """
    with monkeypatch.context() as patched:
        patched.setattr(assistance, "_silent", lambda city: np.ones(len(city.households), dtype=bool))
        nobody = list(_views())
        patched.setattr(assistance, "_silent", lambda city: np.zeros(len(city.households), dtype=bool))
        everybody = list(_views())
    compared = 0
    for (feed, one), (_, other) in zip(nobody, everybody, strict=True):
        assert one.equals(other), feed
        compared += one.height
    assert compared > 10_000


def _views() -> Iterator[tuple[str, pl.DataFrame]]:
    for city in months_of(9, 700, 3, FIRST):
        for feed in sorted(set(load_feeds()) - OF_THE_OFFICE):
            yield feed, frame_of(feed, city).drop(AIDED.get(feed, []))


def test_the_past_does_not_depend_on_the_length_of_the_story() -> None:
    """What is delivered for a month is the same whether or not months follow: nothing looks ahead."""
    short, long = (_first_month(months) for months in (1, 4))
    assert all(short[feed].equals(long[feed]) for feed in load_feeds())


def _first_month(months: int) -> dict[str, pl.DataFrame]:
    city = next(months_of(9, 400, months, FIRST))
    return {feed: frame_of(feed, city) for feed in load_feeds()}
