"""Who might be meant by a row whose ID number cannot be used: the candidates of each pass.

Belongs here: the search, set against set. Does not belong here: whether a candidate is the one (``match``).
"""

from __future__ import annotations

import polars as pl

from ingestion.linkage.known import Known
from ingestion.linkage.number import neighbours
from models.linkage import Linkage, LinkagePass

# A row that asks who is meant. ``text`` is the number as written, ``name`` in comparable form, ``carried`` a valid
# number of the same person elsewhere in the row, ``group`` the delivery where its feed allows one row a person.
CLAIM = {
    "claim": pl.UInt32(),
    "reason": pl.String(),
    "text": pl.String(),
    "name": pl.String(),
    "born_on": pl.Date(),
    "sex": pl.String(),
    "carried": pl.String(),
    "group": pl.String(),
}
CLAIM_FACT = {"claim": pl.UInt32(), "kind": pl.String(), "value": pl.String()}
CANDIDATE = {
    "claim": pl.UInt32(),
    "pass": pl.String(),
    "id_number": pl.String(),
    "birth_digits": pl.Boolean(),
    "fifteenth_digit": pl.Boolean(),
    "near_number": pl.Boolean(),
    "new_person": pl.Boolean(),
}
# A birth date ends at the 14th digit; a spreadsheet keeps 15.
_UP_TO_BIRTH = 14
_WORDS = ("birth_digits", "fifteenth_digit", "near_number", "new_person")


def candidates(claims: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage) -> pl.DataFrame:
    """All candidates (``CANDIDATE``) of the declared passes for these claims."""
    found = [pl.DataFrame(schema=CANDIDATE)]
    for item in linkage.passes:
        asked = claims.filter(pl.col("reason").is_in(item.reasons))
        if item.reasons and asked.height:
            found.append(_shaped(_by_method(item, asked, facts, known, linkage), item))
    return pl.concat(found)


def leading_digits(text: pl.Expr) -> pl.Expr:
    """The first digits that a spreadsheet left of a number, as digits of a full one; null where fewer than 14.

    ``4.2070219800101E+17`` leaves 14, ``420702198001010000`` leaves 15; an old number (``E+14``) lost none.
    """
    mantissa = text.str.replace(r"E.*$", "").str.replace(".", "", literal=True)
    exponent = text.str.extract(r"E\+?(\d+)$").cast(pl.Int32, strict=False)
    old = pl.concat_str(mantissa.str.slice(0, 6), pl.lit("19"), mantissa.str.slice(6))
    digits = (
        pl.when(exponent == 17)
        .then(mantissa)
        .when((exponent == 14) & (mantissa.str.len_bytes() == 15))
        .then(old)
        .when(exponent.is_null())
        .then(text.str.replace(r"\.0+$", "").str.extract(r"^(\d{15})\d{3}$"))
    )
    return pl.when(digits.str.len_bytes() >= _UP_TO_BIRTH).then(digits)


def _by_method(
    item: LinkagePass, claims: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage
) -> pl.DataFrame:
    if item.method == "one_edit":
        return _one_edit(claims, known)
    if item.method == "leading_digits":
        return _by_leading_digits(claims, known, item.tolerance)
    if item.method == "facts":
        return _by_facts(item, claims, facts, known, linkage)
    return _by_carried_number(claims, known)


def _one_edit(claims: pl.DataFrame, known: Known) -> pl.DataFrame:
    texts = claims.select(pl.col("text").unique()).drop_nulls().to_series()
    near = neighbours(texts)
    numbers = known.people.select(pl.col("id_number").unique())
    near = near.join(numbers, on="id_number", how="semi")
    written = texts.rename("text").to_frame().with_row_index("at")
    return claims.select("claim", "text").join(near.join(written, on="at"), on="text", how="inner")


def _by_leading_digits(claims: pl.DataFrame, known: Known, fewest: int) -> pl.DataFrame:
    left = claims.with_columns(left=leading_digits(pl.col("text"))).filter(pl.col("left").str.len_bytes() >= fewest)
    first = pl.col("id_number").str.slice(0, _UP_TO_BIRTH).alias("first")
    asked = left.select(first=pl.col("left").str.slice(0, _UP_TO_BIRTH)).unique()
    people = known.people.with_columns(first).join(asked, on="first", how="semi")
    found = left.with_columns(first=pl.col("left").str.slice(0, _UP_TO_BIRTH)).join(people, on=["first", "name"])
    found = found.filter(pl.col("id_number").str.starts_with(pl.col("left")))
    return found.with_columns(birth_digits=pl.lit(True), fifteenth_digit=pl.col("left").str.len_bytes() >= 15)


def _by_facts(
    item: LinkagePass, claims: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage
) -> pl.DataFrame:
    """Who bears that name and shares a fact that the pass asks for, or the birth date; whatever number is written."""
    asked = {word for words in (*item.certain, *item.review) for word in words}
    kinds = {fact.name for fact in linkage.facts if fact.name in asked or (fact.is_household and "household" in asked)}
    asking = claims.select("claim", "name", "text", "born_on")
    shared = facts.filter(pl.col("kind").is_in(list(kinds))).join(asking, on="claim")
    # Joined on the name as well: a village has thousands of people.
    holders = known.holders(shared).join(known.people, on="id_number")
    by_fact = shared.join(holders, on=["kind", "value", "name"]).select("claim", "id_number")
    written = pl.when(pl.col("text").str.len_bytes() == 18).then(pl.col("text").str.slice(6, 8))
    born = pl.coalesce(pl.col("born_on").dt.strftime("%Y%m%d"), written)
    people = known.people.with_columns(born=pl.col("id_number").str.slice(6, 8))
    by_birth = asking.with_columns(born=born).join(people, on=["name", "born"]).select("claim", "id_number")
    found = pl.concat([by_fact, by_birth]).unique().join(asking, on="claim")
    intact = (written == pl.col("id_number").str.slice(6, 8)).fill_null(False)
    return found.select("claim", "id_number", intact.alias("birth_digits"))


def _by_carried_number(claims: pl.DataFrame, known: Known) -> pl.DataFrame:
    """The number that another column of the row carries, whether anyone is known by it or not."""
    own = claims.filter(pl.col("carried").is_not_null())
    texts = own.select(pl.col("text").unique()).drop_nulls().to_series()
    near = neighbours(texts).join(texts.rename("text").to_frame().with_row_index("at"), on="at")
    near = near.select("text", pl.col("id_number").alias("carried"), pl.lit(True).alias("is_near"))
    begins = pl.col("carried").str.starts_with(leading_digits(pl.col("text")))
    numbers = known.people.select(pl.col("id_number").alias("carried").unique(), pl.lit(True).alias("is_known"))
    found = own.join(near, on=["text", "carried"], how="left").join(numbers, on="carried", how="left")
    return found.select(
        "claim",
        pl.col("carried").alias("id_number"),
        (pl.col("is_near").fill_null(False) | begins.fill_null(False)).alias("near_number"),
        pl.col("is_known").is_null().alias("new_person"),
    )


def _shaped(found: pl.DataFrame, item: LinkagePass) -> pl.DataFrame:
    missing = [pl.lit(False).alias(word) for word in _WORDS if word not in found.columns]
    return found.with_columns(pl.lit(item.name).alias("pass"), *missing).select(
        pl.col(name).cast(kind) for name, kind in CANDIDATE.items()
    )
