"""Claims to links: which candidate is certain, which is for a person to judge, and on what evidence.

Belongs here: words of evidence, the rule of the declared sets, ambiguity. Does not belong here: the search for
candidates (``candidate``), what becomes of a link (``proposals``).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ingestion.linkage.candidate import candidates
from ingestion.linkage.known import Known
from ingestion.parse_identity import born_on_of, sex_of
from ingestion.reason import ID_PRECISION_LOST
from models.linkage import Linkage, LinkagePass

PROPOSED, REVIEW = "proposed", "review"
# Whoever these speak against is not even a rival; a person who has a row already may be.
_RULED_OUT = ("against_birth_date", "against_sex")
LINK = {
    "claim": pl.UInt32(),
    "pass": pl.String(),
    "id_number": pl.String(),
    "confirmed_by": pl.String(),
    "against": pl.String(),
    "state": pl.String(),
}


def link(claims: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage) -> pl.DataFrame:
    """Links (``LINK``) of claims to numbers, at most one ``proposed`` a claim; a claim without any has none.

    A proposal needs one candidate whom a declared set of evidence makes certain, nothing that speaks against, no
    other candidate and no second row of the delivery that asks for the same person. Whatever falls short of that is
    for review.
    """
    asking = _without_known_numbers(claims, known)
    found = candidates(asking, facts, known, linkage)
    if found.is_empty():
        return pl.DataFrame(schema=LINK)
    weighed = _weighed(found, claims, facts, known, linkage)
    listed = _listed(weighed, linkage)
    return _unambiguous(listed).select(pl.col(name).cast(kind) for name, kind in LINK.items())


def _without_known_numbers(claims: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Claims but those in which somebody's valid number is written: that number is taken at its word.

    What is left of a number in a spreadsheet is no number, even where it passes the check by chance.
    """
    numbers = known.people.select(pl.col("id_number").alias("text")).unique()
    lost = pl.col("reason") == ID_PRECISION_LOST
    return pl.concat([claims.filter(lost), claims.filter(~lost).join(numbers, on="text", how="anti")])


def words_of(row: Sequence[str]) -> pl.Expr:
    """The names of those columns that are true, joined by commas."""
    return pl.concat_str([pl.when(pl.col(word)).then(pl.lit(word)) for word in row], separator=",", ignore_nulls=True)


def similar_names(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Names of the same first character that differ in one character or of which one is one shorter."""
    longest = 6
    differing = pl.sum_horizontal(left.str.slice(at, 1) != right.str.slice(at, 1) for at in range(longest))
    same_length = (left.str.len_chars() == right.str.len_chars()) & (differing == 1)
    shorter = (left.str.len_chars() == right.str.len_chars() + 1) & (
        left.str.starts_with(right) | (left.str.slice(0, 1) + left.str.slice(2) == right)
    )
    longer = (right.str.len_chars() == left.str.len_chars() + 1) & (
        right.str.starts_with(left) | (right.str.slice(0, 1) + right.str.slice(2) == left)
    )
    two = (left.str.len_chars() >= 2) & (right.str.len_chars() >= 2)
    first = left.str.slice(0, 1) == right.str.slice(0, 1)
    return (two & first & (same_length | shorter | longer)).fill_null(False)


def _weighed(
    found: pl.DataFrame, claims: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage
) -> pl.DataFrame:
    """Candidates with a column for every word of evidence and every kind of second fact, and those against."""
    told = found.join(claims.select("claim", "name", "born_on", "sex", "group"), on="claim")
    told = told.join(_names(told, known), on=["claim", "id_number"], how="left", suffix="_agrees")
    shared = _shared_facts(told, facts, known, linkage)
    told = told.join(shared, on=["claim", "id_number"], how="left")
    told = told.join(_taken(told, known), on=["group", "id_number"], how="left")
    kinds = [fact.name for fact in linkage.facts]
    born, sex = born_on_of(pl.col("id_number")), sex_of(pl.col("id_number"))
    yes = ["same_name", "similar_name", "taken", *kinds]
    told = told.with_columns(pl.col(yes).fill_null(False))
    return told.with_columns(
        no_name=pl.col("name").is_null(),
        birth_date=(pl.col("born_on") == born).fill_null(False),
        against_birth_date=(pl.col("born_on") != born).fill_null(False),
        against_sex=(pl.col("sex") != sex).fill_null(False),
        against_taken=pl.col("taken"),
        against_other_number=_near_another(linkage),
        second_fact=pl.any_horizontal(kinds),
        household=pl.any_horizontal(linkage.household_facts),
        name=pl.col("same_name"),
    )


def _near_another(linkage: Linkage) -> pl.Expr:
    """Found by facts, though the number as written is one slip from that of another member of the household."""
    by_edit, by_facts = (
        pl.col("pass").is_in([item.name for item in linkage.passes if item.method == method])
        for method in ("one_edit", "facts")
    )
    of_another = by_edit & ~pl.col("same_name") & pl.any_horizontal(linkage.household_facts)
    return by_facts & of_another.any().over("claim")


def _names(told: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Whether any form of the candidate's name is that of the claim, or similar to it."""
    forms = known.people.join(told.select("id_number").unique(), on="id_number", how="semi").rename({"name": "form"})
    pairs = told.select("claim", "id_number", "name").unique().join(forms, on="id_number")
    same = (pl.col("name") == pl.col("form")).fill_null(False)
    return pairs.group_by("claim", "id_number").agg(
        same.any().alias("same_name"), similar_names(pl.col("name"), pl.col("form")).any().alias("similar_name")
    )


def _shared_facts(told: pl.DataFrame, facts: pl.DataFrame, known: Known, linkage: Linkage) -> pl.DataFrame:
    """For each claim and candidate, which kinds of second facts both share."""
    pairs = told.select("claim", "id_number").unique()
    asked = pairs.join(facts, on="claim")
    theirs = known.facts_of(asked["id_number"]).unique()
    both = asked.join(theirs, on=["id_number", "kind", "value"], how="semi")
    return both.group_by("claim", "id_number").agg(
        (pl.col("kind") == fact.name).any().alias(fact.name) for fact in linkage.facts
    )


def _taken(told: pl.DataFrame, known: Known) -> pl.DataFrame:
    groups = told["group"].drop_nulls().unique()
    return known.present(groups).unique().with_columns(taken=pl.lit(True))


def _listed(weighed: pl.DataFrame, linkage: Linkage) -> pl.DataFrame:
    """Candidates that any declared set puts forward, once each: by the first pass that is certain, else the first."""
    against = [f"against_{word}" for word in linkage.against]
    # What a reader of the evidence wants to know: which facts, not that there is one.
    said = ["name", "similar_name", "birth_date", "birth_digits", "fifteenth_digit", "near_number"]
    said += [fact.name for fact in linkage.facts]
    by_number = [item.name for item in linkage.passes if item.method in ("one_edit", "leading_digits", "carried")]
    judged = weighed.with_columns(
        is_certain=_meets(linkage.passes, "certain") & ~pl.any_horizontal(against),
        is_listed=_meets(linkage.passes, "review") | _meets(linkage.passes, "certain"),
        # Whoever has the name and a number like the one written, or all that makes a candidate certain.
        could_be=(pl.col("name") & pl.col("pass").is_in(by_number)) | _meets(linkage.passes, "certain"),
        order=pl.col("pass").replace_strict({item.name: item.order for item in linkage.passes}),
        confirmed_by=words_of(said),
    )
    for word in linkage.against:
        judged = judged.with_columns(pl.col(f"against_{word}").alias(word))
    judged = judged.with_columns(against=words_of(linkage.against), is_ruled_out=pl.any_horizontal(_RULED_OUT))
    judged = judged.with_columns(pl.col("could_be").any().over("claim", "id_number"))
    judged = judged.filter("is_listed").sort("claim", "id_number", ~pl.col("is_certain"), "order")
    return judged.unique(["claim", "id_number"], keep="first", maintain_order=True)


def _meets(passes: Sequence[LinkagePass], which: str) -> pl.Expr:
    """Whether a candidate of a pass has all the words of one of the pass's sets."""
    tests = [
        (pl.col("pass") == item.name) & pl.all_horizontal(sorted(words))
        for item in passes
        for words in (item.certain if which == "certain" else item.review)
        if item.reasons
    ]
    return pl.any_horizontal(tests)


def _unambiguous(listed: pl.DataFrame) -> pl.DataFrame:
    """Proposals without a rival; the rest for review."""
    certain = pl.col("is_certain")
    rivals = ((pl.col("could_be") & ~pl.col("is_ruled_out")) | certain).sum().over("claim")
    # Two rows of one delivery cannot both be the one row of a person.
    asking = (certain & pl.col("group").is_not_null()).sum().over("group", "id_number")
    alone = certain & (rivals == 1) & ((asking <= 1) | pl.col("group").is_null())
    return listed.with_columns(state=pl.when(alone).then(pl.lit(PROPOSED)).otherwise(pl.lit(REVIEW)))
