"""The exit side (X01 to X10) read anew from the domain page, in Polars over the lake.

Belongs here: one reading a rule, literal, as in ``indicator_need``, of which some facts are shared. Does not belong
here: comparing (``indicator_oracle``).
"""

from __future__ import annotations

import polars as pl

from benchmarks.indicator_city import MONTH, LakeCity, month_of, months_between
from benchmarks.indicator_need import certificates, deaths, payments, pensions, severe, wages
from benchmarks.indicator_reading import DIBAO, MARGINAL, rule


def claims(city: LakeCity) -> pl.DataFrame:
    """On the register, or paid, in a month."""
    paid = payments(city).filter(pl.col("pay_status") == "1", pl.col("amount") > 0)
    return pl.concat([rows.select("month", "person_key") for rows in (city.register(), paid)]).unique()


@rule("X01", "person_key")
def dead_paid(city: LakeCity) -> pl.DataFrame:
    dead = claims(city).join(deaths(city), on="person_key")
    return dead.filter(month_of("died_on") < MONTH, pl.col("known") <= MONTH)


@rule("X02", "person_key")
def detained_paid(city: LakeCity) -> pl.DataFrame:
    held = city.standing("custody_record").filter(pl.col("custody_type").is_in(["1", "2"]), pl.col("status") == "1")
    return claims(city).join(held, on=["month", "person_key"]).filter(month_of("from_date") < MONTH)


@rule("X03", "person_key")
def gone_paid(city: LakeCity) -> pl.DataFrame:
    everybody = city.standing("population_register")
    here = everybody.filter(pl.col("status") == "1")
    gone = everybody.filter(pl.col("status").is_in(["2", "4"])).join(here, on=["month", "person_key"], how="anti")
    gone = gone.filter(pl.col("changed_on").is_null() | (month_of("changed_on") < MONTH))
    return claims(city).join(gone, on=["month", "person_key"])


@rule("X04")
def property_over(city: LakeCity) -> pl.DataFrame:
    family = city.register().filter("is_counted")
    heads = family.group_by("month", "certificate_no").agg(
        pl.col("person_key").n_unique().alias("heads"),
        pl.col("area").first(),
        pl.col("household_id").drop_nulls().first(),
    )
    who = family.select("month", "certificate_no", "person_key")

    def of(rows: pl.DataFrame, amount: pl.Expr, item: str = "person_key") -> pl.DataFrame:
        held = rows.join(who, on=["month", "person_key"]).group_by("month", "certificate_no")
        return heads.join(
            held.agg(amount.alias("amount"), pl.col(item).n_unique().alias("n")), on=["month", "certificate_no"]
        )

    cars = city.standing("vehicle_register").filter(
        ~pl.col("vehicle_type").is_in(["M", "N", "D"]), pl.col("status") != "2"
    )
    homes = city.standing("property_register").filter(pl.col("use").is_in(["1", "4"]), pl.col("status") != "2")
    homes = homes.rename({"area": "m2"})
    share = (pl.col("m2") * pl.col("share").fill_null(100) / 100).cast(pl.Float64)
    firms = city.standing("business_register").filter(pl.col("status").is_in(["1", "4"]))
    fund = city.standing("housing_fund").filter(pl.col("status").fill_null("1") != "3")
    line = pl.col("area").replace_strict(DIBAO) * 36 * pl.col("heads")
    over = [
        of(cars, pl.len()),
        of(homes, share.sum(), "unit_no").filter(pl.col("n") >= 2, pl.col("amount") > 40 * pl.col("heads")),
        of(firms, pl.col("registered_capital").max()).filter(pl.col("amount") > 100000),
        of(fund, pl.col("balance").sum()).filter(pl.col("amount") > line),
    ]
    return pl.concat([rows.select("month", "household_id") for rows in over])


def certificate_income(city: LakeCity) -> pl.DataFrame:
    """Net wages and pensions and the wage alone by month and certificate, with heads, layer, area, declared."""
    family = city.register().filter("is_counted")
    work = wages(city).with_columns(pl.col("amount") * 0.9)
    found = pl.concat([work, pensions(city)]).join(
        family.select("month", "person_key", "certificate_no"), on=["month", "person_key"]
    )
    found = found.group_by("month", "certificate_no").agg(pl.col("amount").sum())
    heads = family.group_by("month", "certificate_no").agg(
        pl.col("person_key").n_unique().alias("heads"), pl.col("area").first(), pl.col("layer").first(),
        pl.col("declared_income_pc").max().cast(pl.Float64).alias("declared"),
        pl.col("household_id").drop_nulls().first(),
    )  # fmt: skip
    rows = heads.join(found, on=["month", "certificate_no"], how="left").with_columns(pl.col("amount").fill_null(0))
    return rows.with_columns((pl.col("amount") / pl.col("heads")).alias("pc")).sort("certificate_no", "month")


@rule("X05")
def income_over(city: LakeCity) -> pl.DataFrame:
    edge, dibao = pl.col("area").replace_strict(MARGINAL), pl.col("area").replace_strict(DIBAO)
    line = pl.when(pl.col("layer") == "marginal").then(edge).otherwise(dibao)
    rows = (
        certificate_income(city)
        .filter(pl.col("layer") != "rigid_expenditure")
        .with_columns((pl.col("pc") > line).alias("over"))
    )
    last = [pl.col("over").shift(back).over("certificate_no").fill_null(False) for back in range(3)]
    return rows.filter(pl.all_horizontal(last))


@rule("X06", "person_key")
def doubled(city: LakeCity) -> pl.DataFrame:
    two = city.register().group_by("month", "person_key").agg(pl.col("certificate_no").n_unique().alias("n"))
    paid = payments(city).filter(pl.col("pay_status") == "1", pl.col("amount") > 0)
    pairs = [("DB", "TK"), ("TK", "CS"), ("TK", "CH"), ("CS", "GE"), ("GE", "SS"), ("CS", "SS"), ("HL", "CH")]
    both = [
        paid.filter(pl.col("benefit") == one).join(paid.filter(pl.col("benefit") == other), on=["month", "person_key"])
        for one, other in pairs
    ]
    return pl.concat([rows.select("month", "person_key") for rows in (two.filter(pl.col("n") >= 2), *both)])


@rule("X07", "person_key")
def certificate_ended(city: LakeCity) -> pl.DataFrame:
    """CS or CH for a month after the certificate ended: no certificate valid then gives the right to it."""
    paid = payments(city).filter(
        pl.col("benefit").is_in(["CS", "CH"]), pl.col("pay_status") == "1", pl.col("amount") > 0
    )
    known = city.standing("disability_register").select("month", "person_key").unique()
    good = certificates(city).filter(pl.col("valid_until").is_null() | (pl.col("valid_until") >= MONTH))
    good = pl.concat([
        good.select("month", "person_key", benefit=pl.lit("CS")),
        good.filter(severe()).select("month", "person_key", benefit=pl.lit("CH")),
    ])  # fmt: skip
    late = paid.join(known, on=["month", "person_key"])
    return late.join(good.unique(), on=["month", "person_key", "benefit"], how="anti")


@rule("X08")
def review_overdue(city: LakeCity) -> pl.DataFrame:
    last = pl.max_horizontal("approved_on", "reviewed_on")
    months = pl.col("review_class").replace_strict({"A": 12, "B": 6, "C": 3}, default=None)
    return city.register().filter(months_between(last, MONTH) > months)


@rule("X09")
def undeclared(city: LakeCity) -> pl.DataFrame:
    rows = certificate_income(city)
    return rows.filter(pl.col("declared").is_not_null(), pl.col("pc") - pl.col("declared") > 0.2 * pl.col("declared"))


@rule("X10", "person_key")
def mismatch(city: LakeCity) -> pl.DataFrame:
    """Paid dibao or destitute support without standing on the register, or an amount on it that nobody was paid."""
    money = payments(city).filter(pl.col("benefit").is_in(["DB", "TK"]))
    both = list(city.arrived("assistance_register") & city.arrived("assistance_payment"))
    entry = city.register().filter(MONTH.is_in(both))
    listed = pl.concat(
        [entry.select("month", "person_key"), entry.select("month", person_key="applicant_key")]
    ).unique()
    good = money.filter(pl.col("pay_status") == "1", pl.col("amount") > 0, MONTH.is_in(both))
    stray = good.join(listed, on=["month", "person_key"], how="anti")
    due = entry.filter(pl.col("layer").is_in(["dibao", "destitute"]), month_of("approved_on") < MONTH)
    amount = due.group_by("month", "certificate_no").agg(
        pl.col("monthly_amount").max(), pl.col("applicant_key").first()
    )
    paid = due.join(money.select("month", "person_key"), on=["month", "person_key"]).select("month", "certificate_no")
    unpaid = amount.filter(pl.col("monthly_amount") > 0).join(paid, on=["month", "certificate_no"], how="anti")
    return pl.concat([stray.select("month", "person_key"), unpaid.select("month", person_key="applicant_key")])
