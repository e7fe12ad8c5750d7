"""Carrying out what people decided about proposals: one by one, in bulk by pass, or from a sheet.

Belongs here: which decision fits which proposal, and what follows. Does not belong here: the sheet (``sheet``),
mending rows (``mend``), keeping merges (``events``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from ingestion.linkage.decisions import Answer, LinkDecisions, Said, undecided
from ingestion.linkage.events import IdentityError, IdentityEvents
from ingestion.linkage.mend import Accepted, accept
from ingestion.linkage.proposals import PAIR, ROW, read_proposals
from ingestion.linkage.sheet import CHOICES
from ingestion.lock import exclusive
from ingestion.store import Store
from models.contract import Feed

_FITS = {ROW: ("accepted", "rejected"), PAIR: ("rejected", "merge_first", "merge_second", "split")}


@dataclass(frozen=True)
class Refusal:
    """A decision that was not carried out: the line of the sheet, the proposal, and why (a label's key)."""

    line: int
    proposal_id: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """What came of a set of decisions."""

    accepted: tuple[Accepted, ...] = ()
    rejected: int = 0
    merged: int = 0
    split: int = 0
    refused: tuple[Refusal, ...] = field(default=())


def accept_pass(store: Store, feeds: Mapping[str, Feed], passes: Iterable[str], said: Said) -> Outcome:
    """Accept every open proposal of these passes that is certain; what is for review never goes in bulk."""
    with exclusive(store):
        opened = undecided(read_proposals(store), LinkDecisions(store).frame())
        certain = opened.filter(
            pl.col("pass").is_in(list(passes)) & (pl.col("state") == "proposed") & pl.col("is_alone")
        )
        return Outcome(accepted=tuple(accept(store, feeds, certain, said)))


def carry_out(store: Store, feeds: Mapping[str, Feed], answers: pl.DataFrame, said: Said) -> Outcome:
    """Carry out the answers of a sheet (``read_sheet``), those that can be; the others are refused, each with why.

    ``said`` stands in where a line names no reason or nobody who decided (an empty text there: the line is refused).
    """
    with exclusive(store):
        proposals, decided = read_proposals(store), LinkDecisions(store).frame()
        asked = _with_why(_asked(answers, proposals, decided), said)
        refused = [
            Refusal(*row) for row in asked.filter(pl.col("why") != "").select("line", "proposal_id", "why").rows()
        ]
        fit = asked.filter(pl.col("why") == "")
        outcome = _rows(store, feeds, fit, proposals, said)
        pairs, more = _pairs(store, fit, proposals, said)
        return replace(pairs, accepted=outcome.accepted, rejected=outcome.rejected + pairs.rejected,
                       refused=tuple(sorted([*refused, *more], key=lambda item: item.line)))  # fmt: skip


def _asked(answers: pl.DataFrame, proposals: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Answers beside what they are about; the last line about a proposal counts."""
    about = proposals.select("proposal_id", "kind", "is_alone", "delivery_id", "row_number", "column")
    last = decided.select("proposal_id", pl.col("answer").alias("before"), "led_to")
    found = answers.unique("proposal_id", keep="last", maintain_order=True)
    found = found.join(about, on="proposal_id", how="left", maintain_order="left")
    # A merged pair is a proposal no more; its decision tells what it was.
    merged = pl.when(pl.col("before") == "merge").then(pl.lit(PAIR))
    joined = found.join(last, on="proposal_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("kind", merged).alias("kind"))


def _with_why(asked: pl.DataFrame, said: Said) -> pl.DataFrame:
    """``why`` a line is refused, empty where it is not; reason and who filled in."""
    accepted = pl.col("answer") == "accepted"
    place = ["delivery_id", "row_number", "column"]
    fits = pl.any_horizontal(
        (pl.col("kind") == kind) & pl.col("answer").is_in(list(answers)) for kind, answers in _FITS.items()
    )
    is_split = pl.col("answer") == "split"
    tests = [
        (~pl.col("answer").is_in(list(CHOICES)), "answer_unknown"),
        (pl.col("kind").is_null() & pl.col("before").is_null(), "unknown"),
        (pl.col("before").is_not_null() & ~is_split, "decided"),
        (~fits, "answer_unfit"),
        (is_split & (pl.col("before").fill_null("") != "merge"), "not_merged"),
        (accepted & ~pl.col("is_alone").fill_null(True), "other_fault"),
        (accepted & (accepted.sum().over(place) > 1), "two_answers"),
        (pl.col("reason") == "", "reason_missing"),
        (pl.col("decided_by") == "", "who_missing"),
    ]
    filled = asked.with_columns(
        pl.col("reason").fill_null(said.reason.strip()), pl.col("decided_by").fill_null(said.decided_by.strip())
    )
    why = pl.coalesce([pl.when(test.fill_null(False)).then(pl.lit(word)) for test, word in tests])
    return filled.with_columns(why.fill_null("").alias("why"))


def _rows(store: Store, feeds: Mapping[str, Feed], fit: pl.DataFrame, proposals: pl.DataFrame, said: Said) -> Outcome:
    """Accept and reject rows; one resubmission for each person who decided and each reason given."""
    accepted: list[Accepted] = []
    rejected = 0
    rows = fit.filter(pl.col("answer").is_in(["accepted", "rejected"]))
    for (answer, reason, who), part in rows.group_by("answer", "reason", "decided_by", maintain_order=True):
        told = replace(said, reason=str(reason), decided_by=str(who))
        chosen = proposals.join(part.select("proposal_id"), on="proposal_id", how="semi")
        if answer == "rejected":
            LinkDecisions(store).record(chosen, "rejected", told)
            rejected += chosen.height
        else:
            accepted += accept(store, feeds, chosen, told)
    return Outcome(accepted=tuple(accepted), rejected=rejected)


def _pairs(store: Store, fit: pl.DataFrame, proposals: pl.DataFrame, said: Said) -> tuple[Outcome, list[Refusal]]:
    """Merge pairs, and take merges back."""
    events, decisions = IdentityEvents(store), LinkDecisions(store)
    merged = split = 0
    refused = []
    chosen = fit.filter(pl.col("answer").is_in(["merge_first", "merge_second", "split"]))
    for row in chosen.iter_rows(named=True):
        told = replace(said, reason=row["reason"], decided_by=row["decided_by"])
        (about,) = _pair_of(row["proposal_id"], proposals, decisions.frame()).to_dicts()
        one, other = about["person_key"], about["other_key"]
        key, into = (other, one) if row["answer"] == "merge_first" else (one, other)
        try:
            if row["answer"] == "split":
                event = events.undo(row["led_to"], told.reason, told.decided_by, told.decided_at)
                split += 1
            else:
                event = events.merge(key, into, told.reason, told.decided_by, told.decided_at)
                merged += 1
        except IdentityError:
            why = "not_merged" if row["answer"] == "split" else "one_already"
            refused.append(Refusal(row["line"], row["proposal_id"], why))
            continue
        answer: Answer = "split" if row["answer"] == "split" else "merge"
        decisions.record(pl.DataFrame([about], schema=_ABOUT), answer, told, event.event_id)
    return Outcome(merged=merged, split=split), refused


_ABOUT: dict[str, pl.DataType] = {
    **dict.fromkeys(("proposal_id", "pass", "feed", "delivery_id", "column", "person_key", "other_key"), pl.String()),
    "row_number": pl.Int64(),
    "confirmed_by": pl.String(),
}


def _pair_of(proposal_id: str, proposals: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """What a proposal is about: as proposed, else as it was decided about."""
    both = [frame.filter(pl.col("proposal_id") == proposal_id).select(list(_ABOUT)) for frame in (proposals, decided)]
    return pl.concat(both).head(1)
