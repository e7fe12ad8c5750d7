"""Merges, splits and their undoing: whatever the order, every key leads to one person, and undoing leaves no trace."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ingestion import Store, publish
from ingestion.keys import Keys
from ingestion.linkage.events import IdentityError, IdentityEvents
from ingestion.linkage.resolve import Row, active, alias_frame, key_of_today, resolved, row_alias_frame
from tests.ingestion.conftest import NOW, City

KEYS = ["one", "two", "three", "four", "five"]
ROW = Row("death_record", "death_record.2023-03.abc", 2, "person_key")


def store_in(folder: Path) -> Store:
    return Store(folder, Keys(b"p" * 32, b"v" * 32))


@pytest.fixture
def events(tmp_path: Path) -> IdentityEvents:
    return IdentityEvents(store_in(tmp_path))


class Persons(RuleBasedStateMachine):
    """Against a plain model: the sets of keys that the active merges connect."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.events = IdentityEvents(store_in(Path(self.folder.name)))
        self.merges: dict[str, tuple[str, str]] = {}
        self.now = NOW

    def teardown(self) -> None:
        self.folder.cleanup()

    def together(self, key: str) -> set[str]:
        """Keys that the merges in force connect with this one."""
        found = {key}
        while True:
            more = {end for pair in self.merges.values() if found & set(pair) for end in pair}
            if more <= found:
                return found
            found |= more

    @rule(key=st.sampled_from(KEYS), into=st.sampled_from(KEYS))
    def merge(self, key: str, into: str) -> None:
        self.now += timedelta(hours=1)
        if into in self.together(key):
            with pytest.raises(IdentityError):
                self.events.merge(key, into, "r", "w", self.now)
            return
        event = self.events.merge(key, into, "r", "w", self.now)
        survivor = key_of_today(into, self.events.all())
        self.merges[event.event_id] = (key, into)
        assert key_of_today(key, self.events.all()) == survivor

    @precondition(lambda self: self.merges)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self.now += timedelta(hours=1)
        event_id = data.draw(st.sampled_from(sorted(self.merges)))
        self.events.undo(event_id, "r", "w", self.now)
        del self.merges[event_id]
        with pytest.raises(IdentityError):
            self.events.undo(event_id, "again", "w", self.now)

    @invariant()
    def every_key_leads_to_one_of_its_own(self) -> None:
        known = self.events.all()
        for key in KEYS:
            today = key_of_today(key, known)
            assert today in self.together(key)
            assert {key_of_today(other, known) for other in self.together(key)} == {today}
            assert key_of_today(today, known) == today, "resolving twice changes nothing"

    @invariant()
    def the_published_table_says_the_same(self) -> None:
        table = {row["person_key"]: row["resolved_key"] for row in alias_frame(self.events.all()).iter_rows(named=True)}
        assert all(table.get(key, key) == key_of_today(key, self.events.all()) for key in KEYS)
        assert all(key != resolved_key for key, resolved_key in table.items())
        assert not set(table) & set(table.values())


TestPersons = Persons.TestCase
TestPersons.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def test_a_chain_of_merges_resolves_and_comes_apart_in_any_order(events: IdentityEvents) -> None:
    first = events.merge("a", "b", "r", "w", NOW)
    second = events.merge("b", "c", "r", "w", NOW + timedelta(days=1))
    assert {key: found[0] for key, found in resolved(events.all()).items()} == {"a": "c", "b": "c"}
    assert resolved(events.all())["a"][1] == NOW + timedelta(days=1), "known since the later of both"
    events.undo(first.event_id, "r", "w", NOW + timedelta(days=2))
    assert {key: found[0] for key, found in resolved(events.all()).items()} == {"b": "c"}
    events.undo(second.event_id, "r", "w", NOW + timedelta(days=3))
    assert resolved(events.all()) == {}
    assert len(events.all()) == 4, "nothing is ever removed"


def test_as_of_a_day_only_what_was_decided_by_then(events: IdentityEvents) -> None:
    merge = events.merge("a", "b", "r", "w", NOW)
    events.undo(merge.event_id, "r", "w", NOW + timedelta(days=2))
    days = [NOW + timedelta(days=count) for count in (-1, 1, 3)]
    assert [alias_frame(events.all(), day).height for day in days] == [0, 1, 0]


def test_rows_taken_away_go_to_another_or_to_nobody_known(events: IdentityEvents) -> None:
    given = events.split("a", [ROW], "r", "w", NOW, to="b")
    assert row_alias_frame(events.all())["resolved_key"].to_list() == ["b"]
    events.merge("b", "c", "r", "w", NOW)
    assert row_alias_frame(events.all())["resolved_key"].to_list() == ["c"]
    events.undo(given.event_id, "r", "w", NOW)
    assert row_alias_frame(events.all()).is_empty()
    unknown = events.split("a", [ROW], "r", "w", NOW)
    key = str(unknown.other_key)
    assert key.isalpha()
    assert len(key) == 24
    assert [event.event_id for event in active(events.all())][-1] == unknown.event_id


def test_what_makes_no_sense_is_refused(events: IdentityEvents) -> None:
    events.merge("a", "b", "r", "w", NOW)
    with pytest.raises(IdentityError, match="one person already"):
        events.merge("b", "a", "r", "w", NOW)
    with pytest.raises(IdentityError, match="same as itself"):
        events.merge("a", "a", "r", "w", NOW)
    with pytest.raises(IdentityError, match="no row"):
        events.split("a", [], "r", "w", NOW)
    with pytest.raises(IdentityError, match="undo the merge"):
        events.split("a", [ROW], "r", "w", NOW, to="b")
    with pytest.raises(IdentityError, match="no merge or split"):
        events.undo("nothing", "r", "w", NOW)


def test_a_number_in_a_reason_is_masked(events: IdentityEvents) -> None:
    events.merge("a", "b", "see 420702198001011015", "w", NOW)
    assert events.all()[0].reason == "see 420702********1015"


def test_aliases_are_published_with_the_deliveries(city: City) -> None:
    IdentityEvents(city.store).merge("a", "b", "r", "w", NOW)
    publish(city.store, city.feeds, NOW - timedelta(days=1))
    assert pl.read_parquet(city.store.reference / "person_alias.parquet").is_empty()
    publish(city.store, city.feeds, NOW)
    alias = pl.read_parquet(city.store.reference / "person_alias.parquet")
    assert alias.rows() == [("a", "b", NOW.replace(tzinfo=None))]
    for name in ("person_row_alias", "link_evidence"):
        assert pl.read_parquet(city.store.reference / f"{name}.parquet").is_empty()
