"""Small counts hidden: nothing below the limit is shown, and nothing hidden can be computed from what is."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.report.suppress import Cell, Sum, determined, hide

LIMIT = 5


def table(parts: dict[str, int], total: str = "all") -> tuple[dict[str, Cell], list[Sum[str]]]:
    cells = {name: Cell(Decimal(value), rank=1) for name, value in parts.items()}
    cells[total] = Cell(Decimal(sum(parts.values())))
    return cells, [Sum(((1, total), *((-1, name) for name in parts)))]


def test_a_small_count_takes_the_smallest_other_one_with_it() -> None:
    cells, sums = table({"a": 3, "b": 12, "c": 7})
    assert hide(cells, sums, LIMIT) == {"a": "small", "c": "rest"}


def test_the_limit_itself_is_shown() -> None:
    cells, sums = table({"a": 5, "b": 12, "c": 7})
    assert hide(cells, sums, LIMIT) == {}


def test_nothing_is_no_small_count() -> None:
    cells, sums = table({"a": 0, "b": 12})
    assert hide(cells, sums, LIMIT) == {}


def test_two_small_ones_protect_each_other_only_together_with_enough() -> None:
    enough, sums = table({"a": 4, "b": 3, "c": 9})
    assert hide(enough, sums, LIMIT) == {"a": "small", "b": "small"}
    # Of two that are 2 together each is 1: a third one goes.
    cells, sums = table({"a": 1, "b": 1, "c": 9})
    assert hide(cells, sums, LIMIT) == {"a": "small", "b": "small", "c": "rest"}


def test_the_total_goes_where_no_part_is_left() -> None:
    cells, sums = table({"a": 3, "b": 0})
    cells["all"] = Cell(Decimal(3))
    assert set(hide(cells, sums, LIMIT)) == {"a", "all"}


def test_money_goes_with_its_people_and_is_not_told_by_the_total() -> None:
    cells, sums = table({"a": 3, "b": 8, "c": 9})
    for name, value in {"a": 900, "b": 800, "c": 1000, "all": 2700}.items():
        key = f"yuan {name}"
        cells[key] = Cell(Decimal(value), is_count=False, rank=int(name != "all"), people=(name,))
    money = Sum(((1, "yuan all"), *((-1, f"yuan {name}") for name in "abc")))
    hidden = hide(cells, [*sums, money], LIMIT)
    assert hidden == {"a": "small", "b": "rest", "yuan a": "rest", "yuan b": "rest"}


def test_two_tables_that_share_a_margin_do_not_give_each_other_away() -> None:
    # Two splits of the same parts: each sum alone has two hidden terms, both together would tell them.
    cells = {name: Cell(Decimal(value)) for name, value in {"a": 3, "b": 9, "c": 20, "x": 12, "y": 14}.items()}
    sums = [Sum(((1, "x"), (-1, "a"), (-1, "b"))), Sum(((1, "y"), (-1, "a"), (1, "c"), (-2, "b"), (-13, "zero")))]
    hidden = hide(cells, sums, LIMIT)
    lines = [[(sign, key) for sign, key in one.terms if key in cells] for one in sums]
    assert "a" in hidden
    assert determined(lines, hidden) == []


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 14), min_size=1, max_size=6), min_size=1, max_size=4))
def test_no_hidden_count_can_be_computed(counties: list[list[int]]) -> None:
    cells: dict[str, Cell] = {}
    sums = []
    for number, towns in enumerate(counties):
        for at, value in enumerate(towns):
            cells[f"town {number} {at}"] = Cell(Decimal(value), rank=2)
        cells[f"county {number}"] = Cell(Decimal(sum(towns)), rank=1)
        sums.append(Sum(((1, f"county {number}"), *((-1, f"town {number} {at}") for at in range(len(towns))))))
    cells["city"] = Cell(Decimal(sum(map(sum, counties))))
    sums.append(Sum(((1, "city"), *((-1, f"county {number}") for number in range(len(counties))))))
    hidden = hide(cells, sums, LIMIT)
    assert all(key in hidden for key, cell in cells.items() if 0 < cell.value < LIMIT)
    assert all(cells[key].value for key in hidden)
    lines = [[(sign, key) for sign, key in one.terms if cells[key].value] for one in sums]
    assert determined(lines, hidden) == []
