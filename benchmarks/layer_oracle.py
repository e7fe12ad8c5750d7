"""The layer of every household and month by rule, read anew from the domain page in plain Polars over the lake.

Nothing of the SQL or of the parameters is used: numbers are those of the page, typed a second time on purpose. Who
lives together is taken from the warehouse, which has a benchmark of its own (``household_truth``).

Belongs here: the literal reading of section 3, on what feeds show. Does not belong here: comparing (``layer_truth``).
Left out: able supporters (the reading says who would be destitute without one), relapse risk, visits.
"""

from __future__ import annotations

import polars as pl

from benchmarks.indicator_city import MONTH, LakeCity, month_of
from benchmarks.indicator_need import certificates, pensions, severe, wages
from benchmarks.indicator_reading import DIBAO, MARGINAL

DISPOSABLE = {
    ("urban", 2023): 38600, ("rural", 2023): 22700, ("urban", 2024): 40500, ("rural", 2024): 24300,
    ("urban", 2025): 42300, ("rural", 2025): 25900,
}  # fmt: skip
HOUSE = ["month", "household_id"]
# A cent's fraction: sums of floats must not decide what is at the line.
SLACK = 1e-6


def layers(city: LakeCity) -> pl.DataFrame:
    """One row per month and household: heads, income of a month, amount due, ``layer``, ``helpless``."""
    homes = city.households.select(*HOUSE, "area_type", "register_layer")
    heads = city.counted().group_by(HOUSE).agg(pl.col("person_key").n_unique().alias("heads"))
    rows = homes.join(heads, on=HOUSE, how="left").with_columns(pl.col("heads").fill_null(0))
    for part in (income(city), spending(city), property_over(city, rows), helpless(city)):
        rows = rows.join(part, on=HOUSE, how="left")
    rows = rows.with_columns(pl.col("income", "year", "spent").fill_null(0.0), pl.col("over").fill_null(False))
    area, disposable = pl.col("area_type"), pl.DataFrame(
        [(*key, float(value)) for key, value in DISPOSABLE.items()],
        schema=["area_type", "_year", "disposable"], orient="row",
    )  # fmt: skip
    rows = rows.with_columns(MONTH.dt.year().cast(pl.Int64).alias("_year")).join(disposable, on=["area_type", "_year"])
    below = pl.col("income") < area.replace_strict(DIBAO) * pl.col("heads") - SLACK
    not_above = pl.col("income") <= area.replace_strict(DIBAO) * pl.col("heads") + SLACK
    edge = pl.col("income") < area.replace_strict(MARGINAL) * pl.col("heads") - SLACK
    heavy = (pl.col("spent") > 0) & (pl.col("spent") >= 0.6 * pl.col("year") - SLACK)
    heavy &= pl.col("income") * 12 < pl.col("disposable") * pl.col("heads")
    layer = (
        pl.when((pl.col("heads") == 0) | pl.col("over")).then(pl.lit("none"))
        .when(not_above & pl.col("helpless")).then(pl.lit("destitute"))
        .when(below).then(pl.lit("dibao"))
        .when(edge).then(pl.lit("marginal"))
        .when(heavy).then(pl.lit("rigid_expenditure"))
        .otherwise(pl.lit("none"))
    )  # fmt: skip
    due = (area.replace_strict(DIBAO) * pl.col("heads") - pl.col("income") - SLACK).ceil()
    return rows.with_columns(layer.alias("layer"), due.alias("due"))


def money(city: LakeCity) -> pl.DataFrame:
    """Income that counts by person and month: wages and fees less a tenth, all else as it is."""
    tax = city.told("income_tax", "person_key", "income_month", "income_type").filter(pl.col("income_type") != "1")
    share = pl.when(pl.col("income_type") == "2").then(0.9).otherwise(1.0)
    tax = tax.select(
        "person_key", pl.col("income_month").alias("month"), (pl.col("amount").cast(pl.Float64) * share).alias("amount")
    )
    jobless = city.standing("unemployment_register").filter(
        pl.col("status") == "1", pl.col("unemployed_on").is_not_null()
    )
    jobless = jobless.filter(pl.col("unemployed_on") <= MONTH.dt.month_end())
    jobless = jobless.select("person_key", "month", pl.col("monthly_benefit").cast(pl.Float64).alias("amount"))
    work = wages(city).with_columns(pl.col("amount") * 0.9)
    parts = [part.select("person_key", "month", "amount") for part in (work, tax, pensions(city), jobless)]
    return pl.concat(parts).drop_nulls("amount")


def income(city: LakeCity) -> pl.DataFrame:
    """Of those who count now: the mean of their last three months, the sum of their last twelve."""
    own = money(city).group_by("person_key", "month").agg(pl.col("amount").sum())
    known = city.home_of().select("person_key", pl.col("month").alias("of")).unique()
    paid = own.rename({"month": "of"}).join(known, on=["person_key", "of"])
    members = city.counted().select(*HOUSE, "person_key")
    lived = members.join(known, on="person_key").filter(pl.col("of") <= MONTH, pl.col("of").dt.offset_by("3mo") > MONTH)
    months = lived.group_by(*HOUSE, "person_key").agg(pl.col("of").n_unique().alias("months"))
    found = members.join(paid, on="person_key").filter(pl.col("of") <= MONTH, pl.col("of").dt.offset_by("12mo") > MONTH)
    recent = pl.col("of").dt.offset_by("3mo") > MONTH
    each = found.group_by(*HOUSE, "person_key").agg(
        pl.col("amount").filter(recent).sum().alias("recent"), pl.col("amount").sum().alias("year")
    )
    each = each.join(months, on=[*HOUSE, "person_key"]).with_columns(pl.col("recent") / pl.col("months"))
    return each.group_by(HOUSE).agg(pl.col("recent").sum().alias("income"), pl.col("year").sum())


def spending(city: LakeCity) -> pl.DataFrame:
    """Medical costs, tuition by twelfths and losses of twelve months of those who count now."""
    bills = city.told("medical_settlement", "settlement_no").with_columns(
        pl.max_horizontal(month_of("settled_on"), pl.col("known")).alias("of")
    )
    school = city.standing("student_register").filter(pl.col("status") == "1")
    lost = city.told("disaster_event", "report_no", "person_key")
    parts = [
        bills.select("person_key", "of", pl.col("out_of_pocket").cast(pl.Float64).alias("amount")),
        school.select(
            "person_key", MONTH.alias("of"), (pl.col("annual_tuition").cast(pl.Float64) / 12).alias("amount")
        ),
        lost.select("person_key", pl.col("known").alias("of"), pl.col("loss").cast(pl.Float64).alias("amount")),
    ]
    spent = pl.concat(parts).drop_nulls("amount")
    members = city.counted().select(*HOUSE, "person_key")
    found = members.join(spent, on="person_key").filter(
        pl.col("of") <= MONTH, pl.col("of").dt.offset_by("12mo") > MONTH
    )
    return found.group_by(HOUSE).agg(pl.col("amount").sum().alias("spent"))


def property_over(city: LakeCity, rows: pl.DataFrame) -> pl.DataFrame:
    """Households with a car, homes, a firm or deposits beyond the limits."""
    members = city.counted().select(*HOUSE, "person_key")
    size = rows.select(*HOUSE, "heads", "area_type")

    def held(feed: str) -> pl.DataFrame:
        return city.standing(feed).join(members, on=["month", "person_key"])

    cars = held("vehicle_register").filter(~pl.col("vehicle_type").is_in(["M", "N", "D"]), pl.col("status") != "2")
    homes = held("property_register").filter(pl.col("use").is_in(["1", "4"]), pl.col("status") != "2")
    share = (pl.col("area").cast(pl.Float64) * pl.col("share").cast(pl.Float64).fill_null(100) / 100).sum()
    homes = homes.group_by(HOUSE).agg(share.alias("m2"), pl.col("unit_no").n_unique().alias("n")).join(size, on=HOUSE)
    homes = homes.filter(pl.col("n") >= 2, pl.col("m2") > 40 * pl.col("heads") + SLACK)
    firms = held("business_register").filter(pl.col("status").is_in(["1", "4"]))
    staffed = firms.join(staff(city), on=["uscc", "valid_from"], how="left").filter(
        (pl.col("registered_capital").cast(pl.Float64) > 100_000) | pl.col("staff").is_not_null()
    )
    fund = held("housing_fund").filter(pl.col("status").fill_null("1") != "3")
    fund = fund.group_by(HOUSE).agg(pl.col("balance").cast(pl.Float64).sum()).join(size, on=HOUSE)
    fund = fund.filter(pl.col("balance") > pl.col("area_type").replace_strict(DIBAO) * 36 * pl.col("heads") + SLACK)
    over = pl.concat([part.select(HOUSE) for part in (cars, homes, staffed, fund)]).unique()
    return over.with_columns(over=pl.lit(True))


def staff(city: LakeCity) -> pl.DataFrame:
    """Businesses that paid contributions for others in the quarter up to the month of their register."""
    firms = city.rows("business_register").select("uscc", "valid_from", pl.col("person_key").alias("owner"))
    paid = city.rows("social_insurance").filter(pl.col("status") == "1", pl.col("employer_uscc").is_not_null())
    paid = paid.select(
        pl.col("employer_uscc").alias("uscc"), pl.col("valid_from").alias("told"), pl.col("person_key").alias("worker")
    )
    both = firms.join(paid, on="uscc").filter(
        pl.col("owner") != pl.col("worker"), pl.col("told") <= pl.col("valid_from"),
        pl.col("told").dt.offset_by("3mo") > pl.col("valid_from"),
    )  # fmt: skip
    return both.select("uscc", "valid_from").unique().with_columns(staff=pl.lit(True))


def helpless(city: LakeCity) -> pl.DataFrame:
    """Whether everybody who counts is sixty, under age or seriously disabled."""
    valid = pl.col("valid_until").is_null() | (pl.col("valid_until") >= MONTH)
    disabled = certificates(city).filter(severe(), valid).select("month", "person_key").unique()
    members = city.counted().join(disabled.with_columns(severe=pl.lit(True)), on=["month", "person_key"], how="left")
    unable = (pl.col("age_years") >= 60) | (pl.col("age_years") < 18) | pl.col("severe").fill_null(False)
    return members.group_by(HOUSE).agg(unable.fill_null(False).all().alias("helpless"))
