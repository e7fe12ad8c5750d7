"""Figures of the sample city, counted once more: from the delivered rows with Polars, without the warehouse.

Belongs here: what the published statistics say against the lake. Does not belong here: single rules of counting (unit
tests of dbt).
"""

import math
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from scipy.stats import chi2

from orchestration.home.published import read_published
from orchestration.home.settings import DataHome

pytestmark = pytest.mark.slow
MONTHS = [date(2023, 6, 1), date(2024, 3, 1), date(2024, 6, 1)]
GRAVEST_FIRST = {"21": 1, "11": 2, "12": 2, "31": 3, "41": 4}


@pytest.fixture(scope="module")
def figures(sample_home: DataHome) -> pl.DataFrame:
    return read_published(sample_home, "figure_month_area")


@pytest.fixture(scope="module")
def in_force(sample_home: DataHome) -> pl.DataFrame:
    """The deliveries that count, with the months for which they do; the sample city sends whole files."""
    return pl.read_parquet(sample_home.reference / "delivery_validity.parquet").filter(pl.col("area").is_null())


def rows_of(home: DataHome, feed: str, in_force: pl.DataFrame) -> pl.DataFrame:
    files = sorted((home.lake / feed).glob("**/*.parquet"))
    rows = pl.concat([pl.read_parquet(file) for file in files], how="diagonal_relaxed")
    validity = in_force.filter(pl.col("feed") == feed).select("delivery_id", "valid_from", "valid_to")
    return rows.join(validity, on="delivery_id", how="inner")


def register_of(home: DataHome, in_force: pl.DataFrame, month: date) -> pl.DataFrame:
    """Everybody on the register once, on the gravest certificate, the earliest approved."""
    rows = rows_of(home, "assistance_register", in_force)
    valid = rows.filter(pl.col("valid_from") <= month, pl.col("valid_to") > month)
    order = [pl.col("programme").replace_strict(GRAVEST_FIRST), pl.col("approved_on"), pl.col("certificate_no")]
    return valid.sort(order).unique("person_key", keep="first", maintain_order=True)


def city_value(figures: pl.DataFrame, figure: str, month: date, layer: str = "all", part: str = "all") -> Decimal:
    wanted = figures.filter(
        pl.col("figure") == figure,
        pl.col("month") == month,
        pl.col("area_level") == "city",
        pl.col("layer") == layer,
        pl.col("dimension") == part,
    )
    return wanted["value"].item() if wanted.height else Decimal(0)


@pytest.mark.parametrize("month", MONTHS)
def test_register_by_layer(sample_home: DataHome, figures: pl.DataFrame, in_force: pl.DataFrame, month: date) -> None:
    counted = register_of(sample_home, in_force, month)
    assert city_value(figures, "register_persons", month) == counted.height
    assert city_value(figures, "register_households", month) == counted["certificate_no"].n_unique()
    for layer, programmes in {"destitute": ["21"], "dibao": ["11", "12"], "marginal": ["31"]}.items():
        expected = counted.filter(pl.col("programme").is_in(programmes)).height
        assert city_value(figures, "register_persons", month, layer) == expected, layer


def test_flows_are_those_between_two_registers(
    sample_home: DataHome, figures: pl.DataFrame, in_force: pl.DataFrame
) -> None:
    before, now = (
        set(register_of(sample_home, in_force, month)["person_key"]) for month in (date(2024, 2, 1), date(2024, 3, 1))
    )
    assert city_value(figures, "persons_new", date(2024, 3, 1)) == len(now - before)
    assert city_value(figures, "persons_left", date(2024, 3, 1)) == len(before - now)


@pytest.mark.parametrize("month", MONTHS)
def test_payments(sample_home: DataHome, figures: pl.DataFrame, in_force: pl.DataFrame, month: date) -> None:
    rows = rows_of(sample_home, "assistance_payment", in_force).sort("valid_from", "delivery_id", "row_number")
    key = ["person_key", "benefit", "benefit_month", "batch_no"]
    known = rows.with_columns(known=pl.col("valid_from").min().over(key)).unique(key, keep="last", maintain_order=True)
    paid = known.filter(pl.col("known") == month, pl.col("pay_status") == "1")
    assert city_value(figures, "payment_amount", month) == paid["amount"].sum()
    assert city_value(figures, "payment_persons_any", month) == paid["person_key"].n_unique()
    dibao = paid.filter(pl.col("benefit") == "DB")
    assert city_value(figures, "payment_persons", month, part="DB") == dibao["person_key"].n_unique()


def test_every_difference_is_explained_and_identities_agree(sample_home: DataHome) -> None:
    checks = read_published(sample_home, "figure_check")
    assert checks.filter(pl.col("state") == "unexplained").height == 0
    assert checks.filter(pl.col("state") == "explained")["explanation_zh"].null_count() == 0


def test_limits_are_close_to_the_exact_ones(sample_home: DataHome) -> None:
    """Byar's limits against the exact Poisson interval by the chi-square distribution."""
    found = read_published(sample_home, "township_outlier_month").filter(
        pl.col("method") == "byar", pl.col("expected_rate") < 0.5, pl.col("observed") >= 3
    )
    assert found.height > 0
    for observed, exposure, factor, lower, upper in found.select(
        "observed", "exposure", "overdispersion", "notice_lower", "notice_upper"
    ).iter_rows():
        tail = 1 - math.erf(1.96 * math.sqrt(factor) / math.sqrt(2))
        assert lower * exposure == pytest.approx(chi2.ppf(tail / 2, 2 * observed) / 2, rel=0.05, abs=0.05)
        assert upper * exposure == pytest.approx(chi2.ppf(1 - tail / 2, 2 * observed + 2) / 2, rel=0.02)
