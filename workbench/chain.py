"""The aid chain of a person or household in words: what came when from whom, with gaps, doubles and overpaid money.

Belongs here: turning aid events and findings into lines that a person reads, in order; payments and visits that
repeat month after month are one line. Does not belong here: which events and findings there are (dbt), who may
look and whose chain it is (``orchestration``), how lines look on paper (``chain_page``, ``chain_book``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from models.codes import code_label, load_code_tables
from models.contract import load_feeds
from models.labels import label

# What repeats without news: one line for months in a row.
REPEATING = ("payment", "elder_visited", "child_visited")
# A gap is told on a line of its own between the payments that it rests on.
OWN_LINE = "payment_gap"
LINE = ("day", "until", "person", "what", "detail", "times", "amount", "total", "status", "department", "mark")
FINDING = ("mark", "person", "what", "detail", "day", "until", "months", "amount")
OVERPAID = ("person", "rule", "why", "stop", "detail", "day", "until", "months", "amount", "status")
ROW = ("day", "period", "person", "what", "detail", "amount", "status", "department", "feed", "delivery", "row", "mark")
MEMBER = ("person", "id_number", "day", "until")
# What stands beside the words for other programs: keys and codes.
RAW_ROW = ("kind", "nature", "person_key", "household_id", "benefit", "code_table", "code", "certificate_no")
_SAME = ("kind", "nature", "person_key", "code", "amount_yuan", "status", "certificate_no", "mark", "detail")
_NUMBER = pl.Decimal(14, 2)


@dataclass(frozen=True)
class Chain:
    """Everything that is shown of one chain; each table has the columns named above, in words, and keys after them."""

    subject: str
    key: str
    lang: str
    month: date
    identified: bool
    members: pl.DataFrame
    lines: pl.DataFrame
    findings: pl.DataFrame
    overpaid: pl.DataFrame
    rows: pl.DataFrame
    paid_yuan: Decimal
    overpaid_yuan: Decimal

    def text(self, key: str, **places: object) -> str:
        return label(f"chain.{key}", self.lang, **places)

    def summary(self) -> str:
        """One sentence: up to when, how much, how many findings."""
        parts = {"month": f"{self.month:%Y-%m}", "events": self.rows.height, "findings": self.findings.height}
        return self.text("made", **parts)

    def totals(self) -> tuple[str, str]:
        """What was paid out, and what of it was not due."""
        return (
            self.text("paid_total", amount=label("shown.yuan", self.lang, number=f"{self.paid_yuan:,.2f}")),
            self.text("overpaid_total", amount=label("shown.yuan", self.lang, number=f"{self.overpaid_yuan:,.2f}")),
        )


def make_chain(
    events: pl.DataFrame,
    findings: pl.DataFrame,
    overpaid: pl.DataFrame,
    members: pl.DataFrame,
    *,
    subject: str,
    key: str,
    month: date,
    identified: bool,
    lang: str = "zh",
) -> Chain:
    """The chain in words.

    ``events``, ``findings`` and ``overpaid`` have the columns of ``aid_event``, ``aid_chain_finding`` and
    ``overpayment_month``; ``members`` has person_key, name, id_number (as they are to be shown), first_month and
    last_month (null where the person is still there).
    """
    names = dict(members.select("person_key", "name").iter_rows())
    told = _worded(_marked(events, findings, overpaid, lang), names, lang).sort(
        "event_on", "month", "kind", "person_key", "delivery_id", "row_number", nulls_last=True
    )
    paid = events.filter(pl.col("nature") == "aid", pl.col("status") == "paid")["amount_yuan"].sum()
    return Chain(
        subject=subject,
        key=key,
        lang=lang,
        month=month,
        identified=identified,
        members=_members(members, lang),
        lines=_lines(told, findings, names, lang),
        findings=_findings(findings, names, lang),
        overpaid=_overpaid(overpaid, names, lang),
        rows=_rows(told, lang),
        paid_yuan=Decimal(paid or 0),
        overpaid_yuan=Decimal(overpaid["overpaid_yuan"].sum() or 0),
    )


def _marked(events: pl.DataFrame, findings: pl.DataFrame, overpaid: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Events with ``mark``: what is wrong with them, by the rows that findings and overpaid money rest on."""
    told = findings.filter(pl.col("kind") != OWN_LINE).select("evidence", mark=_label("chain.mark", "finding", lang))
    owed = overpaid.select("evidence", mark=pl.lit(label("chain.mark.overpaid", lang)))
    marks = (
        pl.concat([told, owed])
        .explode("evidence")
        .unnest("evidence")
        .group_by("delivery_id", "row_number")
        .agg(pl.col("mark").unique().sort().str.join(" "))
    )
    # What is overpaid rests on other rows too (a death, a certificate); only the payment is marked.
    only = pl.when(pl.col("kind").is_in(["payment", "temporary_assistance", "medical_aid", "register_entered"]))
    return events.join(marks, on=["delivery_id", "row_number"], how="left").with_columns(
        mark=only.then(pl.col("mark")).fill_null("")
    )


def _worded(events: pl.DataFrame, names: Mapping[str, str], lang: str) -> pl.DataFrame:
    codes = events.select("code_table", "code").unique().drop_nulls()
    texts = [code_label(table, code, lang) for table, code in codes.iter_rows()]
    feeds = {name: feed.title_zh if lang == "zh" else feed.title_en for name, feed in load_feeds().items()}
    return events.join(
        codes.with_columns(detail=pl.Series(texts, dtype=pl.String)), on=["code_table", "code"], how="left"
    ).with_columns(
        person=_named("person_key", names, lang),
        what=_label("chain.kind", "kind", lang),
        department=_label("department", "department", lang),
        status_text=_label("chain.status", "status", lang).fill_null(""),
        feed_text=pl.col("feed").replace_strict(feeds, default=pl.col("feed"), return_dtype=pl.String),
        detail=pl.col("detail").fill_null(""),
    )


def _lines(told: pl.DataFrame, findings: pl.DataFrame, names: Mapping[str, str], lang: str) -> pl.DataFrame:
    gaps = findings.filter(pl.col("kind") == OWN_LINE).select(
        day=pl.col("first_month"),
        until=pl.col("last_month"),
        person=_named("person_key", names, lang),
        what=_label("chain.finding", "kind", lang),
        detail=_benefit(lang),
        times=pl.col("month_count").cast(pl.Int64),
        amount=pl.lit(None, _NUMBER),
        total=pl.col("amount_yuan").cast(_NUMBER),
        status=pl.lit(""),
        department=pl.lit(""),
        mark=_label("chain.mark", "finding", lang),
    )
    return pl.concat([_merged(told), gaps]).sort("day", "until", "what", "person", "detail", "amount", nulls_last=True)


def _merged(told: pl.DataFrame) -> pl.DataFrame:
    """One row per event, and one for what repeats in months that follow each other without any difference."""
    since = pl.when(pl.col("kind") == "payment").then("period_from").otherwise("event_on")
    number = since.dt.year().cast(pl.Int64) * 12 + since.dt.month()
    follows = (number - number.shift(1).over(_SAME, order_by=[number, "event_on"])).is_between(0, 1)
    starts = pl.when(pl.col("kind").is_in(REPEATING)).then(~follows.fill_null(False)).otherwise(True)
    spells = told.with_columns(start=starts).with_columns(
        spell=pl.col("start").cum_sum().over(_SAME, order_by=[number, "event_on", "delivery_id", "row_number"])
    )
    lines = spells.group_by(*_SAME, "spell", "person", "what", "status_text", "department", maintain_order=True).agg(
        day=pl.col("event_on").min(),
        until=pl.col("event_on").max(),
        times=pl.len().cast(pl.Int64),
        total=pl.col("amount_yuan").sum(),
    )
    is_money = (pl.col("nature") == "aid") & pl.col("amount_yuan").is_not_null()
    told_lines = lines.select(
        "day",
        pl.when(pl.col("times") > 1).then("until").alias("until"),
        "person",
        "what",
        "detail",
        "times",
        pl.col("amount_yuan").cast(_NUMBER).alias("amount"),
        pl.when(is_money).then("total").cast(_NUMBER).alias("total"),
        pl.col("status_text").alias("status"),
        "department",
        "mark",
    )
    # What is said of several members on one day (a request, an approval) is one line; money is each one's own.
    own = pl.when(pl.col("total").is_not_null()).then("person").alias("own")
    same = [*(column for column in LINE if column != "person"), own]
    return told_lines.group_by(same, maintain_order=True).agg(pl.col("person").str.join("、")).select(LINE)


def _findings(findings: pl.DataFrame, names: Mapping[str, str], lang: str) -> pl.DataFrame:
    return findings.select(
        mark=_label("chain.mark", "finding", lang),
        person=_named("person_key", names, lang),
        what=_label("chain.finding", "kind", lang),
        detail=_benefit(lang),
        day=pl.col("first_month").dt.strftime("%Y-%m"),
        until=pl.col("last_month").dt.strftime("%Y-%m"),
        months=pl.col("month_count").cast(pl.Int64),
        amount=pl.col("amount_yuan").cast(_NUMBER),
        kind="kind",
        person_key="person_key",
        benefit="benefit",
        evidence="evidence",
    ).sort("day", "until", "mark", "what", "person", "detail", "person_key", "kind", nulls_last=True)


def _overpaid(overpaid: pl.DataFrame, names: Mapping[str, str], lang: str) -> pl.DataFrame:
    keys = ["person_key", "indicator", "event", "stop_month", "benefit", "is_review_needed"]
    months = pl.col("benefit_month").dt.strftime("%Y-%m")
    summed = overpaid.group_by(keys).agg(
        day=months.min(),
        until=months.max(),
        months=pl.col("benefit_month").n_unique().cast(pl.Int64),
        amount=pl.col("overpaid_yuan").sum().cast(_NUMBER),
    )
    return summed.select(
        person=_named("person_key", names, lang),
        rule=pl.col("indicator"),
        why=_label("chain.event", "event", lang),
        stop=pl.col("stop_month").dt.strftime("%Y-%m"),
        detail=_benefit(lang),
        day="day",
        until="until",
        months="months",
        amount="amount",
        status=pl.when("is_review_needed").then(pl.lit(label("chain.after_review", lang))).otherwise(pl.lit("")),
        person_key="person_key",
        benefit="benefit",
        event="event",
    ).sort("day", "rule", "person", "detail", "person_key", "event")


def _rows(told: pl.DataFrame, lang: str) -> pl.DataFrame:
    del lang  # all words are there
    return told.select(
        day="event_on",
        period=pl.when(pl.col("kind") == "payment").then(pl.col("period_from").dt.strftime("%Y-%m")),
        person="person",
        what="what",
        detail="detail",
        amount=pl.col("amount_yuan").cast(_NUMBER),
        status="status_text",
        department="department",
        feed="feed_text",
        delivery="delivery_id",
        row="row_number",
        mark="mark",
        **{name: pl.col(name) for name in RAW_ROW},
    )


def _members(members: pl.DataFrame, lang: str) -> pl.DataFrame:
    unknown = pl.lit(label("chain.unknown", lang))
    return members.sort("first_month", "person_key", nulls_last=True).select(
        person=pl.col("name").fill_null(unknown),
        id_number=pl.col("id_number").fill_null(unknown),
        day=pl.col("first_month").dt.strftime("%Y-%m"),
        until=pl.col("last_month").dt.strftime("%Y-%m"),
    )


def _named(column: str, names: Mapping[str, str], lang: str) -> pl.Expr:
    """The name to be shown; of a visit that names nobody, the household."""
    unknown, nobody = label("chain.unknown", lang), label("chain.whole_household", lang)
    known = {key: name or unknown for key, name in names.items()}
    named = pl.col(column).replace_strict(known, default=unknown, return_dtype=pl.String)
    return pl.when(pl.col(column).is_null()).then(pl.lit(nobody)).otherwise(named)


def _benefit(lang: str) -> pl.Expr:
    texts = {code: code_label("benefit", code, lang) for code in load_code_tables()["benefit"].labels}
    return pl.col("benefit").replace_strict(texts, default="", return_dtype=pl.String)


def _label(prefix: str, column: str, lang: str) -> pl.Expr:
    return pl.col(column).map_elements(lambda value: label(f"{prefix}.{value}", lang), return_dtype=pl.String)


def plain(value: Any) -> str:
    """A cell as people read it: money with two decimals, an empty text for nothing."""
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, Decimal) else str(value)
