"""The need side (N01 to N23) read anew from the domain page, in Polars over the lake.

Belongs here: one reading a rule, literal, without the guards of our SQL; its numbers are those of the catalogue,
typed a second time on purpose. Does not belong here: comparing (``indicator_oracle``).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benchmarks.indicator_city import MONTH, LakeCity, month_of, months_between
from benchmarks.indicator_reading import MEDICAL, MONITORED, in_homes, rule, with_layer


def year_of_bills(city: LakeCity) -> pl.DataFrame:
    """Out of pocket over twelve months by month and person."""
    bills = city.told("medical_settlement", "settlement_no").with_columns(month_of("settled_on").alias("of"))
    bills = bills.select("person_key", "of", "known", "out_of_pocket")
    spread = bills.join_where(
        city.months, pl.col("of") <= MONTH, pl.col("known") <= MONTH, pl.col("of").dt.offset_by("12mo") > MONTH
    )
    return spread.group_by("month", "person_key").agg(pl.col("out_of_pocket").sum().alias("spent"))


@rule("N01")
def medical_year(city: LakeCity) -> pl.DataFrame:
    spent = in_homes(city, year_of_bills(city), False).group_by("month", "household_id").agg(pl.col("spent").sum())
    line = pl.col("register_layer").replace_strict(MEDICAL, default=15000)
    return with_layer(city, spent).filter(pl.col("spent") > line)


@rule("N02", "person_key")
def hospital_stay(city: LakeCity) -> pl.DataFrame:
    stays = city.told("medical_settlement", "settlement_no").filter(pl.col("care_type") == "3")
    rows = in_homes(city, stays.with_columns(pl.max_horizontal(month_of("settled_on"), "known").alias("month")))
    line = pl.when(pl.col("register_layer").is_in(MONITORED)).then(6000).otherwise(10000)
    return with_layer(city, rows).filter(pl.col("out_of_pocket") > line)


@rule("N04")
def tuition(city: LakeCity) -> pl.DataFrame:
    paid = city.standing("student_register").filter(pl.col("status") == "1")
    return (
        in_homes(city, paid)
        .group_by("month", "household_id")
        .agg(pl.col("annual_tuition").sum())
        .filter(pl.col("annual_tuition") > 10000)
    )


def contributions(city: LakeCity) -> pl.DataFrame:
    paid = city.told("social_insurance", "person_key", "insurance", "contribution_month")
    return paid.filter(pl.col("status") == "1").rename({"contribution_month": "of"})


def unemployed(city: LakeCity) -> pl.DataFrame:
    return in_homes(city, city.standing("unemployment_register").filter(pl.col("status") == "1"))


@rule("N06", "person_key")
def jobless_without_contribution(city: LakeCity) -> pl.DataFrame:
    """Registered, three months since the loss and none of them with a contribution."""
    paid = contributions(city).group_by("person_key", "of").len()
    recent = paid.join_where(city.months, pl.col("of") <= MONTH, pl.col("of").dt.offset_by("3mo") > MONTH)
    lost = unemployed(city).filter(months_between(pl.col("unemployed_on"), MONTH) >= 3)
    return lost.join(recent.select("month", "person_key"), on=["month", "person_key"], how="anti")


def wages(city: LakeCity) -> pl.DataFrame:
    """Wage by month and person: what tax knows, else the highest contribution base by an employer."""
    tax = city.told("income_tax", "person_key", "income_month", "income_type").filter(pl.col("income_type") == "1")
    tax = tax.select("person_key", pl.col("income_month").alias("month"), pl.col("amount").cast(pl.Float64))
    base = contributions(city).filter(pl.col("insurance") != "2", pl.col("employer_uscc").is_not_null())
    base = base.group_by("person_key", pl.col("of").alias("month")).agg(
        pl.col("base").max().cast(pl.Float64).alias("amount")
    )
    return pl.concat([tax, base.join(tax, on=["person_key", "month"], how="anti").select(tax.columns)])


def pensions(city: LakeCity) -> pl.DataFrame:
    paid = city.told("pension_payment", "person_key", "pension_type", "pension_month")
    return paid.group_by("person_key", pl.col("pension_month").alias("month")).agg(
        pl.col("amount").sum().cast(pl.Float64)
    )


@rule("N07", "person_key")
def sole_earner(city: LakeCity) -> pl.DataFrame:
    """Lost the job at least a month ago, was the only one with a wage before, and nobody has one now."""
    work = wages(city).filter(pl.col("amount") > 0)
    at_home = in_homes(city, work, False)
    lost = unemployed(city).with_columns(month_of("unemployed_on").alias("lost"))
    lost = lost.filter(months_between(pl.col("lost"), MONTH) >= 1)
    before = lost.select("month", "household_id", "person_key", "lost").join(
        at_home.select("household_id", pl.col("person_key").alias("worker"), pl.col("month").alias("worked")),
        on="household_id",
    )
    before = before.filter(pl.col("worked") < pl.col("lost"), pl.col("worked") >= pl.col("lost").dt.offset_by("-3mo"))
    alone = before.group_by("month", "household_id", "person_key").agg(
        pl.col("worker").n_unique().alias("n"), (pl.col("worker") == pl.col("person_key")).any().alias("self")
    )
    alone = alone.filter(pl.col("n") == 1, "self")
    earning = in_homes(city, work).select("month", "household_id").unique()
    return alone.join(earning, on=["month", "household_id"], how="anti")


@rule("N08")
def collapse(city: LakeCity) -> pl.DataFrame:
    """Wages and pensions of two months at or below half of the mean of the six before them."""
    income = pl.concat([wages(city), pensions(city)]).group_by("month", "person_key").agg(pl.col("amount").sum())
    home = in_homes(city, income).group_by("month", "household_id").agg(pl.col("amount").sum())
    every = city.households.filter(pl.col("counted_member_count") > 0).select("month", "household_id")
    every = every.join(home, on=["month", "household_id"], how="left").with_columns(pl.col("amount").fill_null(0))
    known = city.arrived("income_tax") & city.arrived("pension_payment")
    every = every.filter(MONTH.is_in(list(known))).sort("household_id", "month")
    past = pl.col("amount").shift(2).rolling_mean(6, min_samples=3).over("household_id")
    last = pl.max_horizontal("amount", pl.col("amount").shift(1).over("household_id"))
    return every.with_columns(past.alias("past"), last.alias("last")).filter(
        pl.col("past") > 0, pl.col("last") <= pl.col("past") * 0.5
    )


@rule("N09", "person_key")
def pension_stopped(city: LakeCity) -> pl.DataFrame:
    """Paid in the month before and not in this one, and not known to have died or left."""
    paid = pensions(city).select("month", "person_key")
    due = paid.with_columns(MONTH.dt.offset_by("1mo"))
    due = due.filter(MONTH.is_in(list(city.arrived("pension_payment"))))
    return in_homes(city, due.join(paid, on=["month", "person_key"], how="anti"))


def deaths(city: LakeCity) -> pl.DataFrame:
    told = city.told("death_record", "person_key").select("person_key", "died_on", "known")
    gone = city.rows("population_register").filter(pl.col("status") == "3")
    gone = gone.group_by("person_key").agg(
        pl.col("changed_on").min().alias("died_on"), pl.col("valid_from").min().alias("known")
    )
    return pl.concat([told, gone.join(told, on="person_key", how="anti")])


def main_earner(city: LakeCity, gone: pl.DataFrame, day: str) -> pl.DataFrame:
    """Of persons gone on a day those whose wages of the six months before were the highest at home."""
    work = wages(city).join(city.home_of(), on=["month", "person_key"])
    window = (pl.col("worked") < month_of(day)) & (pl.col("worked") >= month_of(day).dt.offset_by("-6mo"))
    own = gone.join(work.rename({"month": "worked"}), on="person_key").filter(window)
    own = own.group_by("person_key", day, "known", "household_id").agg(pl.col("amount").sum().alias("own"))
    both = pl.concat([wages(city), pensions(city)]).join(city.home_of(), on=["month", "person_key"])
    others = own.join(both.rename({"month": "worked", "person_key": "other"}), on="household_id").filter(
        window, pl.col("other") != pl.col("person_key")
    )
    others = others.group_by("person_key", "other").agg(pl.col("amount").sum())
    best = others.group_by("person_key").agg(pl.col("amount").max())
    return own.join(best, on="person_key", how="left").filter(pl.col("own") >= pl.col("amount").fill_null(0))


@rule("N10", "person_key")
def earner_died(city: LakeCity) -> pl.DataFrame:
    left = city.households.filter(pl.col("counted_member_count") > 0).select("month", "household_id")
    found = main_earner(city, deaths(city), "died_on").with_columns(pl.max_horizontal("known").alias("month"))
    return found.join(left, on=["month", "household_id"])


@rule("N13", "person_key")
def earner_detained(city: LakeCity) -> pl.DataFrame:
    held = city.standing("custody_record").filter(pl.col("custody_type").is_in(["1", "2"]), pl.col("status") == "1")
    held = held.group_by("person_key", "from_date").agg(MONTH.min().alias("known"))
    held = held.filter(months_between(pl.col("from_date"), pl.col("known")) <= 6)
    left = city.households.filter(pl.col("counted_member_count") > 0).select("month", "household_id")
    found = main_earner(city, held, "from_date").with_columns(pl.col("known").alias("month"))
    return found.join(left, on=["month", "household_id"])


def severe() -> pl.Expr:
    mental = pl.col("disability_type").is_in(["5", "6"]) & (pl.col("disability_grade") == "3")
    return pl.col("disability_grade").is_in(["1", "2"]) | mental


def certificates(city: LakeCity) -> pl.DataFrame:
    return city.standing("disability_register").filter(pl.col("status") == "1")


@rule("N11", "person_key")
def newly_severe(city: LakeCity) -> pl.DataFrame:
    """First told as severely disabled by a certificate of the six months before."""
    first = certificates(city).filter(severe()).group_by("person_key").agg(
        pl.col("issued_on").min(), MONTH.min()
    )  # fmt: skip
    return in_homes(city, first.filter(months_between(pl.col("issued_on"), MONTH) <= 6))


@rule("N14")
def changed(city: LakeCity) -> pl.DataFrame:
    """Divorce, newborn or new hukou of a member, told this month, in a household on the register."""
    parted = city.told("marriage_register", "certificate_no").filter(pl.col("event") == "2")
    sides = [parted.select("known", pl.col(side).alias("person_key")) for side in ("husband_key", "wife_key")]
    people = city.rows("population_register").sort("valid_from")
    start = city.months["month"].min()
    born = people.group_by("person_key").agg(pl.col("valid_from").min().alias("known"), pl.col("born_on").first())
    born = born.filter(
        (pl.col("known") > start) | (pl.col("born_on") >= start),
        months_between(pl.col("born_on"), pl.col("known")) <= 6,
    )
    moved = people.with_columns(pl.col("hukou_no").shift().over("person_key").alias("before"))
    moved = moved.filter(pl.col("before") != pl.col("hukou_no")).rename({"valid_from": "known"})
    told = pl.concat([*(side.select("known", "person_key") for side in (*sides, born, moved))])
    rows = in_homes(city, told.rename({"known": "month"}))
    return with_layer(city, rows).filter(pl.col("assistance_layer") != "none")


@rule("N15", "person_key")
def disaster(city: LakeCity) -> pl.DataFrame:
    rows = city.told("disaster_event", "report_no", "person_key").rename({"known": "month"})
    grave = pl.col("house_damage").is_in(["2", "3"]) | (pl.col("casualties") > 0) | (pl.col("loss") > 20000)
    return in_homes(city, rows.filter(grave.fill_null(False)), False)


@rule("N16", "person_key")
def unanswered(city: LakeCity) -> pl.DataFrame:
    """Reported, and until the end of the following month no visit, no aid, no new certificate of the household."""
    report = city.told("community_report", "report_no").filter(pl.col("person_key").is_not_null())
    report = report.with_columns(month_of("reported_on").dt.offset_by("1mo").alias("month"))
    report = report.filter(city.months["month"].max() >= MONTH)
    report = in_homes(city, report, False)
    visits = city.told("visit_outcome", "alert_id", "visited_on").filter(pl.col("known") > date(1, 1, 1))
    numbers = pl.concat([visits.select(pl.col(name).alias("report_no"), "known") for name in ("alert_id", "report_no")])
    aid = city.told("temporary_assistance", "application_no").select("person_key", pl.col("approved_on").alias("on"))
    seen = visits.select("person_key", pl.col("visited_on").alias("on"))
    entered = city.register().select("person_key", pl.col("approved_on").alias("on"))
    help_ = pl.concat([aid, seen, entered]).join(city.home_of().drop("month").unique(), on="person_key")
    help_ = report.join(help_.drop("person_key"), on="household_id").filter(
        pl.col("on") >= pl.col("reported_on"), month_of("on") <= MONTH
    )
    by_number = report.join(numbers, on="report_no", suffix="_seen").filter(pl.col("known_seen") <= MONTH)
    return report.join(help_, on="report_no", how="anti").join(by_number, on="report_no", how="anti")


@rule("N17")
def relapse_risk(city: LakeCity) -> pl.DataFrame:
    still = pl.col("cleared_on").is_null() | (pl.col("cleared_on") > MONTH.dt.month_end())
    rows = in_homes(city, city.standing("rural_monitoring").filter(still))
    return with_layer(city, rows).filter(pl.col("assistance_layer") == "none")


def payments(city: LakeCity) -> pl.DataFrame:
    paid = city.told("assistance_payment", "batch_no", "person_key", "benefit", "benefit_month")
    return paid.rename({"benefit_month": "month"})


@rule("N19", "person_key")
def disability_allowance(city: LakeCity) -> pl.DataFrame:
    """Due this month and in the month before, and neither paid: CS in dibao families, CH for severe grades."""
    kept = city.register().select("month", "person_key", "layer").unique()
    valid = certificates(city).filter(pl.col("valid_until").is_null() | (pl.col("valid_until") >= MONTH))
    valid = in_homes(city, valid).join(kept, on=["month", "person_key"], how="left")
    valid = valid.filter(pl.col("layer").fill_null("") != "destitute", month_of("issued_on") < MONTH)
    orphans = city.standing("child_register").filter(pl.col("child_category").is_in(["1", "2"]))
    living = valid.filter(pl.col("layer") == "dibao").join(orphans, on=["month", "person_key"], how="anti")
    due = pl.concat(
        [living.with_columns(benefit=pl.lit("CS")), valid.filter(severe()).with_columns(benefit=pl.lit("CH"))]
    )
    due = due.select("month", "person_key", "benefit").unique()
    last = due.with_columns(MONTH.dt.offset_by("1mo"))
    paid = payments(city).filter(pl.col("pay_status") == "1").select("month", "person_key", "benefit")
    late = pl.concat([paid, paid.with_columns(MONTH.dt.offset_by("1mo"))])
    here = due.join(last, on=["month", "person_key", "benefit"])
    return here.join(late, on=["month", "person_key", "benefit"], how="anti")


@rule("N20", "person_key")
def old_age_and_children(city: LakeCity) -> pl.DataFrame:
    """80 or listed as orphan or unattended for a month, and neither this month nor the last paid."""
    listed = city.standing("population_register").filter(pl.col("status") == "1").select("month", "person_key")
    old = in_homes(city, listed).join(city.born, on="person_key")
    old = old.filter(months_between(pl.col("born_on"), MONTH) >= 80 * 12 + 1).with_columns(kind=pl.lit("GL"))
    child = in_homes(city, city.standing("child_register").filter(pl.col("child_category").is_in(["1", "2"])))
    child = child.filter(pl.col("age_years") < 18, month_of("recognised_on") < MONTH).with_columns(kind=pl.lit("child"))
    due = pl.concat([rows.select("month", "person_key", "kind") for rows in (old, child)])
    kind = pl.col("benefit").replace_strict({"GL": "GL", "GE": "child", "SS": "child"}, default=None)
    paid = payments(city).filter(pl.col("pay_status") == "1").with_columns(kind.alias("kind"))
    paid = paid.select("month", "person_key", "kind")
    late = pl.concat([paid, paid.with_columns(MONTH.dt.offset_by("1mo"))])
    return due.join(late, on=["month", "person_key", "kind"], how="anti").filter(city.months["month"].min() < MONTH)


@rule("N21", "person_key")
def dark_home(city: LakeCity) -> pl.DataFrame:
    """Told by the register of elders as living alone, with less than 3 kWh on the meters of the month."""
    alone = city.standing("elder_register").filter(pl.col("elder_category") == "1")
    kwh = city.told("utility_usage", "account_no", "usage_month").rename({"usage_month": "month"})
    kwh = kwh.group_by("month", "person_key").agg(pl.col("kwh").sum()).filter(pl.col("kwh") < 3)
    return in_homes(city, kwh.join(alone, on=["month", "person_key"]))


@rule("N22", "person_key")
def dropped_out(city: LakeCity) -> pl.DataFrame:
    rows = in_homes(city, city.standing("student_register").filter(pl.col("status") == "3"))
    return rows.filter(pl.col("age_years").is_between(6, 15))


@rule("N23", "person_key")
def single_person(city: LakeCity) -> pl.DataFrame:
    """On a marginal certificate, severely disabled or with bills above the family's line, in no dibao."""
    entry = city.register()
    edge = entry.filter(pl.col("layer") == "marginal").select("month", "person_key")
    inside = entry.filter(pl.col("layer").is_in(["dibao", "destitute"]))
    valid = certificates(city).filter(severe(), pl.col("valid_until").is_null() | (pl.col("valid_until") >= MONTH))
    ill = year_of_bills(city).filter(pl.col("spent") > 10000)
    who = pl.concat([rows.select("month", "person_key") for rows in (valid, ill)]).unique()
    return in_homes(
        city, edge.join(who, on=["month", "person_key"]).join(inside, on=["month", "person_key"], how="anti")
    )
