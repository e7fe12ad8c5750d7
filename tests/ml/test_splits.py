"""Rolling origins: no label a model learns from may reach into what was unknown at its origin."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ml.months import month_date, month_number
from ml.splits import rolling_origins

FIRST = date(2023, 1, 1)


@given(
    months=st.integers(1, 60),
    horizon=st.integers(1, 6),
    embargo=st.integers(0, 4),
    least=st.integers(1, 6),
    most=st.integers(1, 8),
)
def test_embargo_is_kept_on_both_sides(months: int, horizon: int, embargo: int, least: int, most: int) -> None:
    last = month_date(month_number(FIRST) + months - 1)
    found = rolling_origins(FIRST, last, horizon, embargo, least, most)
    assert len(found) <= most
    for origin in found:
        at = month_number(origin.month)
        assert month_number(origin.learn_until) + horizon + embargo == at
        assert month_number(origin.learn_until) - month_number(FIRST) + 1 >= least
        assert month_number(origin.matures) == at + horizon + embargo
        assert origin.matures <= last
    assert list(found) == sorted(found, key=lambda origin: origin.month)


def test_nine_months_are_just_enough_for_one_origin() -> None:
    assert len(rolling_origins(FIRST, date(2023, 9, 1), 3, 1, 1, 6)) == 1
    assert rolling_origins(FIRST, date(2023, 8, 1), 3, 1, 1, 6) == ()


def test_the_newest_matured_origin_is_always_among_them() -> None:
    found = rolling_origins(FIRST, date(2024, 12, 1), 3, 1, 1, 6)
    assert found[-1].month == date(2024, 8, 1)
    assert len(found) == 6
