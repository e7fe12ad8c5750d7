"""Which delivery speaks for which rows and months: against a plain reading of the rule, row by row."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.delivery import Delivery
from ingestion.in_force import OPEN_END, Validity, covers, said, touched_months, validity_rows
from ingestion.standing import as_they_stand, missing_parts
from tests.ingestion.conftest import ARRIVED
from tests.ingestion.entries import entry

quick = settings(max_examples=150, deadline=None)
CITY, EAST, WEST = None, "420702", "420703"
EASTERN_TOWN, OTHER_CITY = "420702104", "420111001"
VILLAGES = ["420702104001", "420702001002", "420703001001", "420704001001", OTHER_CITY, None]
MONTHS = [date(2023, month, 1) for month in range(1, 8)]

divisions = st.sampled_from([CITY, EAST, WEST, EASTERN_TOWN])
histories = st.lists(
    st.tuples(
        st.integers(1, 6),
        divisions,
        st.integers(0, 6),
        st.sampled_from(["accepted", "accepted", "accepted", "held", "duplicate"]),
        st.sampled_from([None, None, "workbench"]),
    ),
    min_size=1,
    max_size=10,
)


def entries_of(history: list[tuple[int, str | None, int, str, str | None]], mode: str) -> list[Delivery]:
    found: list[Delivery] = []
    for at, (month, division, day, status, sender) in enumerate(history):
        item = entry(
            at,
            period=f"2023-{month:02d}",
            division=division,
            received_at=ARRIVED + timedelta(days=day),
            mode=mode,
            status=status,
            sender=sender,
            file_name=f"{at % 3}_{at}.csv",
        )
        if status == "duplicate":
            same = [
                other.delivery_id
                for other in found
                if (other.period, other.division, other.sender) == (item.period, division, sender)
                and other.status != "duplicate"
            ]
            item = entry(at, **{**fields(item), "detail": same[-1] if same else "nothing"})
        found.append(item)
    return found


def fields(item: Delivery) -> dict[str, object]:
    return {name: value for name, value in item.__dict__.items() if name not in ("delivery_id", "sequence")}


def in_force(rows: list[Validity], item: Delivery, village: str | None, month: date) -> int:
    """How often a row of that village in that delivery counts in that month."""
    mine = [row for row in rows if row.delivery_id == item.delivery_id and row.valid_from <= month < row.valid_to]
    return sum(row.speaks_for(village) for row in mine)


def should_be(entries: list[Delivery], item: Delivery, village: str | None, month: date) -> bool:
    """The rule, read plainly: the last word on the row's place in the last month in which there was any."""
    place = village if item.division is None or (village or "").startswith(item.division) else item.division
    in_city = place is not None and place.startswith("4207")
    words = [
        other
        for other in said(entries)
        if other.sender == item.sender and (covers(other.division, place) if in_city else other.division is None)
    ]
    months = sorted({other.period for other in words if other.period and f"{other.period}-01" <= f"{month}"})
    if item.mode == "events":
        months = [period for period in months if f"{period}-01" == f"{month}"]
    return bool(months) and [other for other in words if other.period == months[-1]][-1].delivery_id == item.delivery_id


@quick
@given(histories, st.sampled_from(["snapshot", "events"]))
def test_every_row_counts_when_its_delivery_has_the_last_word_on_its_place(
    history: list[tuple[int, str | None, int, str, str | None]], mode: str
) -> None:
    entries = entries_of(history, mode)
    rows = validity_rows(entries)
    for item in entries:
        if item.status == "accepted":
            for village in VILLAGES:
                for month in MONTHS:
                    assert in_force(rows, item, village, month) == should_be(entries, item, village, month)


@quick
@given(histories, st.integers(0, 6), st.randoms())
def test_any_order_of_intake_comes_to_the_same(
    history: list[tuple[int, str | None, int, str, str | None]], until: int, random: object
) -> None:
    entries = entries_of(history, "snapshot")
    other = list(entries)
    random.shuffle(other)  # type: ignore[attr-defined]
    renumbered = [entry(at, **fields(item)) for at, item in enumerate(other)]
    names = {item.delivery_id: old.file_key for item, old in zip(renumbered, other, strict=True)}
    renumbered = [
        entry(at, **{**fields(item), "detail": next((k for k, v in names.items() if v == _key(entries, item)), None)})
        for at, item in enumerate(renumbered)
    ]
    moment = ARRIVED + timedelta(days=until)
    one = {(_file(entries, row), row.area, row.excepted, row.valid_to) for row in validity_rows(entries, moment)}
    two = {(names[row.delivery_id], row.area, row.excepted, row.valid_to) for row in validity_rows(renumbered, moment)}
    assert one == two
    stated = {item.file_key: sorted(item.warnings) for item in as_they_stand(entries)}
    assert {item.file_key: sorted(item.warnings) for item in as_they_stand(renumbered)} == stated


def _key(entries: list[Delivery], item: Delivery) -> str | None:
    return next((other.file_key for other in entries if other.delivery_id == item.detail), None)


def _file(entries: list[Delivery], row: Validity) -> str:
    return next(item.file_key for item in entries if item.delivery_id == row.delivery_id)


@quick
@given(histories, histories)
def test_months_before_the_first_touched_are_the_same_and_that_one_is_not(
    one: list[tuple[int, str | None, int, str, str | None]], more: list[tuple[int, str | None, int, str, str | None]]
) -> None:
    entries = entries_of([*one, *more], "snapshot")
    before, after = validity_rows(entries[: len(one)]), validity_rows(entries)
    first = touched_months(before, after)
    states = [
        {
            (item.delivery_id, village)
            for item in entries
            for village in VILLAGES
            if in_force(rows, item, village, month)
        }
        for month in MONTHS
        for rows in (before, after)
    ]
    differing = [month for at, month in enumerate(MONTHS) if states[2 * at] != states[2 * at + 1]]
    assert [month for month in differing if first is None or month < first] == []
    assert first is None or first in MONTHS


def whole(at: int, month: int, day: int, division: str | None = None, **other: object) -> Delivery:
    return entry(at, period=f"2023-{month:02d}", division=division, received_at=ARRIVED + timedelta(days=day), **other)


def spans(*entries: Delivery) -> set[tuple[str, str | None, str | None, date, date]]:
    rows = validity_rows(entries)
    return {(row.delivery_id[-1], row.area, row.excepted, row.valid_from, row.valid_to) for row in rows}


JAN, FEB = date(2023, 1, 1), date(2023, 2, 1)


def test_rows_of_no_district_stay_with_the_whole_city() -> None:
    entries = [whole(1, 1, 0), whole(2, 1, 1, EAST)]
    (city, _) = (row for row in sorted(validity_rows(entries), key=lambda row: row.delivery_id))
    assert city.speaks_for(None)
    assert city.speaks_for(OTHER_CITY)
    assert city.speaks_for(WEST)
    assert not city.speaks_for(EAST)
    assert not city.speaks_for(EASTERN_TOWN)


def test_a_township_takes_its_own_rows_out_of_its_county_and_a_later_county_takes_them_back() -> None:
    county, town = whole(1, 1, 0, EAST), whole(2, 1, 1, EASTERN_TOWN)
    assert spans(county, town) == {
        ("1", None, f",{EASTERN_TOWN},", JAN, OPEN_END),
        ("2", None, None, JAN, OPEN_END),
    }
    assert spans(county, town, whole(3, 1, 2, EAST)) == {("3", None, None, JAN, OPEN_END)}


def test_a_part_of_the_next_month_ends_its_district_in_the_city_alone() -> None:
    assert spans(whole(1, 1, 0), whole(2, 2, 1, EAST)) == {
        ("1", None, f",{EAST},", JAN, OPEN_END),
        ("1", EAST, None, JAN, FEB),
        ("2", None, None, FEB, OPEN_END),
    }
    assert touched_months(validity_rows([whole(1, 1, 0)]), validity_rows([whole(1, 1, 0), whole(2, 2, 1, EAST)])) == FEB


def test_what_was_sent_once_more_counts_again_after_what_came_between() -> None:
    first = whole(1, 1, 0)
    again = whole(2, 1, 9, status="duplicate", detail=first.delivery_id)
    between = whole(3, 1, 5)
    assert spans(first, again, between) == {("1", None, None, JAN, OPEN_END)}
    assert spans(first, between) == {("3", None, None, JAN, OPEN_END)}


def test_ties_go_by_file_name_whichever_was_taken_in_first() -> None:
    copy, name = whole(1, 1, 0, file_name="x(1).csv"), whole(2, 1, 0, file_name="x.csv")
    assert spans(copy, name) == {("1", None, None, JAN, OPEN_END)}


def test_answers_of_lists_stand_beside_what_the_department_sends() -> None:
    sent, answers = whole(1, 1, 0, mode="events"), whole(2, 1, 1, mode="events", sender="workbench")
    assert spans(sent, answers) == {("1", None, None, JAN, FEB), ("2", None, None, JAN, FEB)}


def test_a_supplement_counts_exactly_where_its_base_does() -> None:
    base, more = whole(1, 1, 0), whole(2, 1, 1, supplements="custody_record.2023-01.1")
    assert spans(base, more) == {("1", None, None, JAN, OPEN_END), ("2", None, None, JAN, OPEN_END)}
    part = whole(3, 1, 2, EAST)
    excepted = f",{EAST},"
    assert spans(base, more, part) >= {(name, None, excepted, JAN, OPEN_END) for name in "12"}
    assert spans(base, more, whole(3, 1, 2)) == {("3", None, None, JAN, OPEN_END)}
    assert spans(whole(1, 1, 0, status="held"), more) == set()


def test_parts_missing_by_county_and_township() -> None:
    feed = "custody_record"
    parts = [whole(1, 1, 0, EAST), whole(2, 1, 0, WEST), whole(3, 1, 0, EASTERN_TOWN)]
    assert missing_parts([*parts, whole(4, 2, 0, EAST)]) == {(feed, "2023-02"): [WEST]}
    assert missing_parts([*parts, whole(4, 2, 0, EASTERN_TOWN)]) == {(feed, "2023-02"): [EAST, WEST]}
    assert missing_parts([*parts, whole(4, 2, 0)]) == {}
    assert missing_parts([whole(1, 1, 0), whole(2, 2, 0, EAST)]) == {(feed, "2023-02"): [WEST, "420704"]}


def test_volume_is_compared_with_the_last_in_the_order_of_receipt() -> None:
    sizes = [whole(1, 1, 0, rows_data=30), whole(2, 2, 9, rows_data=31), whole(3, 2, 1, rows_data=90)]
    for first, second in pairwise([sizes, sizes[::-1], [sizes[1], sizes[0], sizes[2]]]):
        assert warned(first) == warned(second) == {"2": ["volume_anomaly"], "3": ["volume_anomaly"], "1": []}


def warned(entries: list[Delivery]) -> dict[str, list[str]]:
    return {item.file_key: item.warnings for item in as_they_stand(entries)}
