"""The life of an alert: every state can be reached, nothing happens that the table does not know."""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from models.alert_life import DECISIONS, FIRST_STATE, OFFICES, ROLES, TransitionRefusedError, load_life
from models.labels import label
from models.publish import alert_state_table, alert_transition_rule_table

LIFE = load_life()
EVENTS = sorted({way.event for way in LIFE.transitions})
# The way as the rules of the field tell it, and where it may be left (domain: life of an alert).
MAIN_WAY = [("place", "rule"), ("visit", "village"), ("handle", "village"), ("settle", "rule")]
STATES = {
    "new", "assigned", "visited", "handled", "closed", "overdue", "returned", "reopened", "merged", "withdrawn"
}  # fmt: skip


def test_the_states_are_those_of_the_field() -> None:
    assert set(LIFE.states) == STATES
    assert set(LIFE.ended_states()) == {"handled", "closed", "merged", "withdrawn"}


def test_the_main_way_leads_from_new_to_closed() -> None:
    state, seen = FIRST_STATE, []
    for event, role in MAIN_WAY:
        state = LIFE.after(state, event, role)
        seen.append(state)
    assert seen == ["assigned", "visited", "handled", "closed"]


@pytest.mark.parametrize(
    ("state", "event", "role", "after"),
    [
        ("assigned", "due", "rule", "overdue"),
        ("overdue", "visit", "village", "visited"),
        ("handled", "return", "county", "returned"),
        ("closed", "reopen", "rule", "reopened"),
        ("reopened", "due", "rule", "overdue"),
        ("overdue", "merge", "rule", "merged"),
        ("assigned", "withdraw", "rule", "withdrawn"),
        ("overdue", "transfer", "county", "overdue"),
        ("overdue", "raise", "rule", "assigned"),
        ("handled", "lapse", "rule", "closed"),
        ("overdue", "close", "city", "closed"),
    ],
)
def test_side_ways(state: str, event: str, role: str, after: str) -> None:
    assert LIFE.after(state, event, role) == after


@pytest.mark.parametrize(
    ("state", "event", "role", "says"),
    [
        ("new", "return", "county", "cannot be treated by `return`"),
        ("withdrawn", "reopen", "city", "it is an end"),
        ("merged", "assign", "city", "it is an end"),
        ("handled", "withdraw", "rule", "cannot be treated"),
        ("assigned", "close", "township", "is for county, city, not for township"),
        ("handled", "return", "township", "not for township"),
        ("asleep", "close", "city", "no state"),
    ],
)
def test_what_the_table_does_not_know_is_refused_with_what_it_allows(
    state: str, event: str, role: str, says: str
) -> None:
    with pytest.raises(TransitionRefusedError, match=says):
        LIFE.after(state, event, role)


def test_people_decide_and_rules_do_not_take_their_place() -> None:
    by_people = {way.event for way in LIFE.transitions if set(way.by) & set(OFFICES)}
    assert by_people == set(DECISIONS)
    needing = {way.event for way in LIFE.transitions if "reason" in way.needs}
    assert needing == set(DECISIONS), "whatever a person decides has a reason"


def test_an_event_that_changes_the_state_leads_to_one_state() -> None:
    """SQL looks up the state by the event alone."""
    leads: dict[str, set[str]] = {}
    for way in LIFE.transitions:
        if way.from_state != way.to_state:
            leads.setdefault(way.event, set()).add(way.to_state)
    assert {event: states for event, states in leads.items() if len(states) > 1} == {}


class Life(RuleBasedStateMachine):
    """An alert to which anything may happen at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = FIRST_STATE

    @rule(number=st.integers(0, 99))
    def goes_on(self, number: int) -> None:
        ways = LIFE.ways_from(self.state)
        if ways:
            way = ways[number % len(ways)]
            self.state = LIFE.after(self.state, way.event, way.by[number % len(way.by)])

    @rule(event=st.sampled_from(EVENTS), role=st.sampled_from(ROLES))
    def happens(self, event: str, role: str) -> None:
        known = {way.event: way for way in LIFE.ways_from(self.state, role)}
        if event in known:
            self.state = LIFE.after(self.state, event, role)
            assert self.state == known[event].to_state
        else:
            before = self.state
            with pytest.raises(TransitionRefusedError):
                LIFE.after(self.state, event, role)
            assert self.state == before

    @invariant()
    def is_known(self) -> None:
        assert self.state in STATES
        if self.state in ("merged", "withdrawn"):
            assert LIFE.ways_from(self.state) == (), "nothing follows an alert that is gone"


def test_whatever_happens_the_state_is_one_of_the_table() -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=50, stateful_step_count=30, deadline=None))


def test_every_state_can_be_reached_and_every_open_one_can_be_left() -> None:
    reached, waiting = {FIRST_STATE}, [FIRST_STATE]
    while waiting:
        after = {way.to_state for way in LIFE.ways_from(waiting.pop())} - reached
        reached |= after
        waiting += sorted(after)
    assert reached == STATES
    for state in LIFE.open_states():
        assert {way.to_state for way in LIFE.ways_from(state)} & set(LIFE.ended_states())


def test_words_and_tables_know_every_state_and_event() -> None:
    for lang in ("zh", "en"):
        assert all(label(f"alert_state.{state}", lang) for state in STATES)
        assert all(label(f"alert_event.{event}", lang) for event in EVENTS)
    assert alert_state_table()["state"].to_list() == list(LIFE.states)
    rows = alert_transition_rule_table()
    assert set(rows.select("event", "from_state", "to_state").rows()) == {
        (way.event, way.from_state, way.to_state) for way in LIFE.transitions
    }


@pytest.mark.parametrize(
    "broken",
    [
        "states: [{state: a, is_open: true}, {state: a, is_open: true}]\ntransitions: []",
        "states: [{state: a, is_open: true}]\ntransitions: [{event: e, from: [a], to: b, by: [rule], needs: []}]",
        "states: [{state: a, is_open: true}]\ntransitions: [{event: e, from: [a], to: a, by: [king], needs: []}]",
        "states: [{state: a, is_open: true}]\ntransitions: [{event: e, from: [a, a], to: a, by: [rule], needs: []}]",
    ],
)
def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "alert_life.yaml"
    file.write_text(broken, encoding="utf-8")
    with pytest.raises(ValueError, match="twice"):
        load_life(file)
