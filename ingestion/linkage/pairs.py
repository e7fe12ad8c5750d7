"""Two valid numbers that may be one person: pairs for a person to judge, never merged by machine.

Belongs here: finding such pairs among all known persons, set against set. Does not belong here: rows without a
usable number (``match``), what becomes of a pair (``events``).
"""

from __future__ import annotations

import polars as pl

from ingestion.linkage.known import Known
from ingestion.linkage.match import words_of
from models.linkage import Linkage

PAIR = {"id_number": pl.String(), "other": pl.String(), "confirmed_by": pl.String()}
# Of a name with a birthday this common nothing can be told: it would only be noise on the list.
_LARGEST_GROUP = 30
# Places of birth date and order code, and the first 17 characters: two valid numbers that are one slip apart differ
# in their check character too.
_BIRTH, _ORDER, _REGION, _FIRST = (6, 8), (14, 3), (0, 6), (0, 17)


def pairs(known: Known, linkage: Linkage) -> pl.DataFrame:
    """Pairs (``PAIR``, the smaller number first) that a declared set of evidence puts before a reviewer."""
    forms = known.people.with_columns(
        pl.col("id_number").str.slice(*_BIRTH).alias("born"),
        pl.concat_str(pl.col("id_number").str.slice(*_REGION), pl.col("id_number").str.slice(*_ORDER)).alias("place"),
    )
    blocks = [_within(forms, ["name", "born"]), _within(forms, ["name", "place"])]
    found = pl.concat(blocks).unique()
    shared = _shared_households(found, known, linkage)
    told = found.join(shared, on=["id_number", "other"], how="left").with_columns(
        name=pl.lit(True),
        birth_date=pl.col("id_number").str.slice(*_BIRTH) == pl.col("other").str.slice(*_BIRTH),
        one_edit=one_slip_apart(pl.col("id_number").str.slice(*_FIRST), pl.col("other").str.slice(*_FIRST)),
    )
    kinds = linkage.household_facts
    told = told.with_columns(pl.col(kinds).fill_null(False)).with_columns(household=pl.any_horizontal(kinds))
    (judged,) = (item for item in linkage.passes if item.method == "valid")
    listed = told.filter(pl.any_horizontal(pl.all_horizontal(sorted(words)) for words in judged.review))
    said = words_of(["name", "birth_date", "one_edit", *kinds])
    return listed.select("id_number", "other", said.alias("confirmed_by")).sort("id_number", "other")


def one_slip_apart(left: pl.Expr, right: pl.Expr, width: int = 17) -> pl.Expr:
    """Texts of that width that differ in one character, or by two neighbours swapped."""
    differs = [left.str.slice(at, 1) != right.str.slice(at, 1) for at in range(width)]
    count = pl.sum_horizontal(differs)
    swapped = pl.any_horizontal(
        differs[at]
        & (left.str.slice(at, 1) == right.str.slice(at + 1, 1))
        & (left.str.slice(at + 1, 1) == right.str.slice(at, 1))
        for at in range(width - 1)
    )
    return (count == 1) | ((count == 2) & swapped)


def _within(forms: pl.DataFrame, block: list[str]) -> pl.DataFrame:
    size = pl.col("id_number").n_unique().over(block)
    some = forms.filter(pl.struct(block).is_duplicated())
    some = some.filter(size.is_between(2, _LARGEST_GROUP)).select("id_number", *block)
    joined = some.join(some.rename({"id_number": "other"}), on=block)
    return joined.filter(pl.col("id_number") < pl.col("other")).select("id_number", "other")


def _shared_households(found: pl.DataFrame, known: Known, linkage: Linkage) -> pl.DataFrame:
    numbers = pl.concat([found["id_number"], found["other"]]).unique()
    if numbers.is_empty():
        kinds = dict.fromkeys(linkage.household_facts, pl.Boolean)
        return pl.DataFrame(schema={"id_number": pl.String, "other": pl.String, **kinds})
    facts = known.facts_of(numbers).filter(pl.col("kind").is_in(linkage.household_facts)).unique()
    theirs = facts.rename({"id_number": "other"})
    both = found.join(facts, on="id_number").join(theirs, on=["other", "kind", "value"], how="semi")
    return both.group_by("id_number", "other").agg(
        (pl.col("kind") == kind).any().alias(kind) for kind in linkage.household_facts
    )
