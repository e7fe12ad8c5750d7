"""The life of a delivery: one table of transitions, and whatever happens in whatever order, nothing is lost, counts
balance, and one delivery speaks for each month and district.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingestion import Delivery, Ledger, Quarantine, TransitionError, hold, publish, reject, release
from ingestion.in_force import delivery_validity, validity_rows
from ingestion.life import STATUS, TRANSITIONS, history_of, known_at, next_state, states_of, superseding
from ingestion.mending import OPEN, ResubmissionError, export_rows, resubmit, row_states, with_state
from ingestion.mending.export import exported
from ingestion.past import lay_past
from models.contract import load_feeds
from tests.ingestion.conftest import ARRIVED, NOW, City, as_csv, balance, id_number

FEED = "custody_record"
VILLAGES = ["420702001001", "420703001001", "420111001001", None]
DECISIONS = {"release": release, "reject": reject, "hold": hold}


def content(city: City, variant: int, bad: int) -> list[dict[str, str]]:
    """Twelve rows, of which some say nothing of the kind of custody; variants differ in their persons."""
    rows = city.rows(FEED)
    for at, row in enumerate(rows):
        row["身份证号"] = id_number(at + 12 * variant)
        row["类型"] = "?" if at < bad else "1"
    return rows


class Life(RuleBasedStateMachine):
    """Everything that may happen to the deliveries of one feed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.city = City(self.folder)
        self.now = NOW
        self.files = 0
        self.undecided = True

    def teardown(self) -> None:
        if self.undecided and self.files:
            self._in_one_pass_it_is_the_same()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.deliver("202301", "", 0, 0, 0)

    @rule(
        month=st.sampled_from(["202301", "202302"]),
        division=st.sampled_from(["", "", "_420702", "_420702001"]),
        variant=st.integers(0, 2),
        bad=st.sampled_from([0, 1, 2, 6]),
        day=st.integers(0, 20),
    )
    def deliver(self, month: str, division: str, variant: int, bad: int, day: int) -> None:
        """Late, early, corrected, the same again: a file comes."""
        self.files += 1
        name = f"{self.files % 4}_{month}{division}_{chr(ord('a') + self.files)}.csv"
        self.city.put(FEED, content(self.city, variant, bad), name, arrived=ARRIVED + timedelta(days=day))
        (taken,) = self.city.take(self._later())
        assert taken.status == "duplicate" or taken.status == ("held" if bad == 6 else "accepted")

    @rule(wish=st.sampled_from(sorted(DECISIONS)), at=st.integers(0, 30))
    def decide(self, wish: str, at: int) -> None:
        """A person or a check decides: allowed exactly where the table allows it."""
        item = self._one(at)
        state = self._states()[item.delivery_id]
        if wish not in TRANSITIONS[state]:
            with pytest.raises(TransitionError):
                DECISIONS[wish](self.city.store, item.delivery_id, "because", "li", self._later())
            return
        self.undecided = False
        done = DECISIONS[wish](self.city.store, item.delivery_id, "because", "li", self._later())
        assert done.status == STATUS[next_state(state, wish)]  # type: ignore[arg-type]

    @precondition(lambda self: self.city.deliveries())
    @rule(at=st.integers(0, 30), mended=st.booleans())
    def send_back(self, at: int, mended: bool) -> None:
        """Rows in quarantine are exported, mended or not, and sent back."""
        item, store = self._one(at), self.city.store
        rows = Quarantine(store).raw_rows(FEED, item.delivery_id)
        target = self.folder / "rows.csv"
        export_rows(rows, self.city.feeds[FEED], target)
        text = target.read_text(encoding="utf-8-sig")
        target.write_text(text.replace("?", "1") if mended else text, encoding="utf-8")
        try:
            resubmit(store, item.delivery_id, target, "mended", "li", self.city.feeds, self._later())
            self.undecided = False
        except ResubmissionError:
            assert item.supplements or item.status in ("rejected", "duplicate") or not self._open(item.delivery_id)

    @rule()
    def run_again(self) -> None:
        before = self.city.deliveries()
        assert self.city.take(self._later()) == []
        assert self.city.deliveries() == before

    @invariant()
    def every_file_is_known_and_counts_balance(self) -> None:
        deliveries = self.city.deliveries()
        assert len([item for item in deliveries if not item.supplements]) == self.files
        for item in deliveries:
            balance(item)
            rows = Quarantine(self.city.store).raw_rows(FEED, item.delivery_id).height
            assert item.status == "rejected" or rows == item.rows_quarantined

    @invariant()
    def one_delivery_speaks_for_each_month_and_district(self) -> None:
        rows, deliveries = validity_rows(self.city.deliveries()), {d.delivery_id: d for d in self.city.deliveries()}
        for month in (date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)):
            for village in VILLAGES:
                speaking = [
                    row.delivery_id
                    for row in rows
                    if row.valid_from <= month < row.valid_to
                    and row.speaks_for(village)
                    and not deliveries[row.delivery_id].supplements
                    and (row.division is None or (village or "").startswith(row.division))
                ]
                assert len(speaking) <= 1

    @invariant()
    def files_lie_where_the_ledger_says(self) -> None:
        store = self.city.store
        for item in self.city.deliveries():
            in_lake = store.lake_file(FEED, str(item.period), item.delivery_id).exists()
            assert in_lake == (item.status == "accepted")
            # What counted for a while and was rejected then is kept apart: lists of that time rest on it.
            with Ledger(store.ledger_file) as ledger:
                decided = {one["status"] for one in ledger.decisions(item.delivery_id)}
            kept = item.status == "held" or (item.status == "rejected" and bool(decided & {"held", "accepted"}))
            assert store.held_file(FEED, item.delivery_id).exists() == kept

    @invariant()
    def a_mended_row_is_mended_by_a_row_that_counts(self) -> None:
        deliveries = self.city.deliveries()
        known = {item.delivery_id: item for item in deliveries}
        states = row_states(self.city.store, deliveries)
        assert states.select("delivery_id", "row_number").is_unique().all()
        for row in states.filter(pl.col("state") == "mended").iter_rows(named=True):
            assert row["by_row"] in self.city.lake(known[row["by_delivery"]])["row_number"].to_list()
        answers = states.filter(pl.col("state") == "mended").select("by_delivery", "by_row")
        supplements = [item.delivery_id for item in deliveries if item.supplements]
        by_hand = answers.filter(pl.col("by_delivery").is_in(supplements))
        assert by_hand.is_unique().all()

    def _in_one_pass_it_is_the_same(self) -> None:
        other = City(Path(tempfile.mkdtemp(dir=self.folder)))
        shutil.copytree(self.city.inbox, other.inbox, dirs_exist_ok=True)
        other.take(self._later())
        assert in_force(other) == in_force(self.city)

    def _later(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now

    def _one(self, at: int) -> Delivery:
        deliveries = self.city.deliveries()
        return deliveries[at % len(deliveries)]

    def _states(self) -> dict[str, str]:
        with Ledger(self.city.store.ledger_file) as ledger:
            return dict(states_of(ledger.deliveries(), ledger.decisions()))

    def _open(self, delivery_id: str) -> int:
        deliveries = self.city.deliveries()
        rows = Quarantine(self.city.store).rows(FEED, delivery_id)
        known = with_state(rows, row_states(self.city.store, deliveries), deliveries)
        return known.filter(pl.col("state") == OPEN).height


def in_force(city: City) -> set[tuple[object, ...]]:
    """What is in force, told by contents: which of two equal files speaks is no matter."""
    known = {item.delivery_id: item for item in city.deliveries()}
    return {
        (known[row.delivery_id].sha256, row.division, row.area, row.excepted, row.valid_from, row.valid_to)
        for row in validity_rows(city.deliveries())
    }


TestLife = Life.TestCase
# The same sequences every time: what a new one finds belongs into a case of its own, not into a run of something else.
TestLife.settings = settings(max_examples=8, stateful_step_count=10, deadline=None, derandomize=True)


def test_the_table_names_every_state_and_leads_nowhere_else() -> None:
    states = set(TRANSITIONS)
    assert {after for events in TRANSITIONS.values() for after in events.values()} <= states
    assert set(STATUS) == states - {"received"}
    assert TRANSITIONS["rejected"] == TRANSITIONS["duplicate"] == {}
    reached = {"received"}
    for _ in states:
        reached |= {after for state in reached for after in TRANSITIONS[state].values()}  # type: ignore[index]
    assert reached == states


def held_one(city: City) -> Delivery:
    return city.take_one(FEED, content(city, 0, 6), "a_202301.csv")


def state_of(city: City, item: Delivery) -> str:
    with Ledger(city.store.ledger_file) as ledger:
        return states_of(ledger.deliveries(), ledger.decisions())[item.delivery_id]


@pytest.mark.usefixtures("both_places")
def test_releasing_what_was_superseded_meanwhile_says_so(city: City) -> None:
    held = held_one(city)
    later = city.take_one(FEED, content(city, 1, 0), "b_202301.csv", arrived=ARRIVED + timedelta(days=3))
    released = release(city.store, held.delivery_id, "it was right", "li", NOW)
    assert state_of(city, released) == "superseded"
    assert [item.delivery_id for item in superseding(released, city.deliveries())] == [later.delivery_id]
    hold(city.store, later.delivery_id, "no, that one", "wang", NOW + timedelta(hours=1))
    assert state_of(city, released) == "released"
    assert delivery_validity(city.deliveries())["delivery_id"].to_list() == [held.delivery_id]


@pytest.mark.usefixtures("both_places")
def test_history_says_who_when_and_why(city: City) -> None:
    held = held_one(city)
    release(city.store, held.delivery_id, "asked the office", "li", NOW + timedelta(hours=1))
    city.take_one(FEED, content(city, 1, 0), "b_202301.csv", arrived=ARRIVED + timedelta(days=3))
    with Ledger(city.store.ledger_file) as ledger:
        item = ledger.delivery(held.delivery_id)
        steps = history_of(item, ledger.deliveries(), ledger.decisions())
    assert [(step.state, step.by) for step in steps] == [
        ("received", "department"),
        ("held", "ingestion"),
        ("released", "li"),
        ("superseded", "ingestion"),
    ]
    assert (steps[1].why, steps[2].why) == ("too_many_bad_rows", "asked the office")


@pytest.mark.usefixtures("both_places")
def test_before_its_release_a_delivery_was_held(city: City) -> None:
    held = held_one(city)
    release(city.store, held.delivery_id, "ok", "li", NOW + timedelta(days=2))
    with Ledger(city.store.ledger_file) as ledger:
        entries, decisions = ledger.deliveries(), ledger.decisions()
    (then,) = known_at(entries, decisions, NOW + timedelta(days=1))
    (now,) = known_at(entries, decisions, NOW + timedelta(days=3))
    assert (then.status, then.reason, now.status) == ("held", "too_many_bad_rows", "accepted")
    publish(city.store, city.feeds, NOW + timedelta(days=1))
    assert pl.read_parquet(city.store.reference / "delivery_validity.parquet").is_empty()


def test_what_had_counted_before_it_was_rejected_states_its_counts_again(city: City, tmp_path: Path) -> None:
    """Else the quarantine would hold rows that the ledger of that day does not know of, and a rebuild would stop."""
    first, *rows, last = city.rows(FEED, 60)
    taken = city.take_one(FEED, [first | {"类型": "?"}, *rows, last | {"预计解除日期": "soon"}], "a_202301.csv")
    assert taken.status == "accepted"
    assert taken.quarantined_by_reason
    assert taken.cell_defects_by_reason
    hold(city.store, taken.delivery_id, "wrong office", "li", NOW + timedelta(hours=1))
    reject(city.store, taken.delivery_id, "wrong office", "li", NOW + timedelta(hours=2))
    assert city.deliveries()[0].quarantined_by_reason == {}
    assert lay_past(city.store, tmp_path / "past", NOW + timedelta(minutes=1)) == []
    with Ledger(tmp_path / "past" / "ledger.db") as then:
        assert then.deliveries() == [taken]


def test_cells_of_a_held_delivery_are_no_longer_told_of(city: City) -> None:
    rows = content(city, 0, 1)
    rows[5]["预计解除日期"] = "不详"
    taken = city.take_one(FEED, rows, "a_202301.csv")
    publish(city.store, city.feeds)
    assert pl.read_parquet(city.store.reference / "cell_defect.parquet").height == 1
    assert published_states(city) == {(2, "open")}
    hold(city.store, taken.delivery_id, "wrong year", "li", NOW)
    publish(city.store, city.feeds)
    assert pl.read_parquet(city.store.reference / "cell_defect.parquet").is_empty()
    assert published_states(city) == {(2, "held")}


def published_states(city: City) -> set[tuple[int, str]]:
    return set(pl.read_parquet(city.store.reference / "quarantine_row.parquet").select("row_number", "state").rows())


def test_a_ledger_of_an_earlier_version_gets_its_new_columns(city: City) -> None:
    import sqlite3

    city.take_one(FEED, content(city, 0, 0), "a_202301.csv")
    with sqlite3.connect(city.store.ledger_file) as connection:
        for table, column in (("delivery", "sender"), ("delivery", "supplements"), ("decision", "reason_before")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.close()
    (item,) = city.deliveries()
    assert (item.status, item.sender, item.supplements) == ("accepted", None, None)
    hold(city.store, item.delivery_id, "why not", "li", NOW)


def test_exported_file_is_for_its_owner_even_where_one_lay_open(city: City, tmp_path: Path) -> None:
    taken = city.take_one(FEED, content(city, 0, 2), "a_202301.csv")
    target = tmp_path / "rows.csv"
    target.write_text("")
    target.chmod(0o644)
    rows = Quarantine(city.store).raw_rows(FEED, taken.delivery_id)
    assert export_rows(rows, city.feeds[FEED], target) == 2
    assert target.stat().st_mode & 0o777 == 0o600
    with target.open(encoding="utf-8-sig") as stream:
        header = next(csv.reader(stream))
    own = as_csv(content(city, 0, 0)).splitlines()[0].split(",")
    assert header == ["行号", *own, "原因"]


def test_answers_of_lists_and_visits_of_a_department_do_not_replace_each_other(city: City) -> None:
    feed = "visit_outcome"
    department = city.take_one(feed, city.rows(feed), "入户_202303.csv", sidecar={"sender": "王科长"})
    answers = city.take_one(feed, city.rows(feed, 3), "a_202303.csv", sidecar={"sender": "workbench"})
    assert (department.sender, answers.sender) == (None, "workbench")
    speaking = delivery_validity(city.deliveries())["delivery_id"]
    assert set(speaking) == {department.delivery_id, answers.delivery_id}
    later = ARRIVED + timedelta(days=3)
    corrected = city.take_one(feed, city.rows(feed, 4), "b_202303.csv", sidecar={"sender": "workbench"}, arrived=later)
    assert corrected.supersedes == answers.delivery_id
    speaking = delivery_validity(city.deliveries())["delivery_id"]
    assert set(speaking) == {department.delivery_id, corrected.delivery_id}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_files_of_a_month_in_any_order_state_the_same(city: City, order: tuple[int, ...]) -> None:
    """The first and the third are the same bytes: going back is a correction, whenever what was between comes."""
    files = [
        (content(city, variant, 0), f"{at}_202301.csv", ARRIVED + timedelta(days=at))
        for at, variant in enumerate([0, 1, 0])
    ]
    for at in order:
        rows, name, arrived = files[at]
        city.put(FEED, rows, name, arrived=arrived)
        city.take()
    known = {item.delivery_id: item.sha256 for item in city.deliveries()}
    first = next(item.sha256 for item in city.deliveries() if item.file_name == "0_202301.csv")
    assert [known[row.delivery_id] for row in validity_rows(city.deliveries())] == [first]


def test_rows_of_a_file_that_mended_another_can_be_exported_again() -> None:
    raw = '{"行号": "7", "原因": "id_number:id_invalid", "身份证号": "1", "姓名": "甲"}'
    rows = pl.DataFrame({"row_number": [2], "reasons": ["id_number:id_invalid"], "raw": [raw]})
    frame = exported(rows, load_feeds()["death_record"])
    assert frame.columns[:3] == ["行号", "身份证号", "姓名"]
    assert frame.columns.count("原因") == 1
    assert frame["行号"].to_list() == ["2"]
