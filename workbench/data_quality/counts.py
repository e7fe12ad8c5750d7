"""The counts of a month, each a figure with the query that finds it in ``check_result`` or ``feed_scorecard``.

Belongs here: filters and sums over the published results of one month, and the names of checks and feeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from models.contract import load_feeds
from models.labels import label, label_of_code
from models.quality.contradictions import load_contradiction_checks
from workbench.report.figure import Figure

RESULTS, SCORES, DEFECTS, DELIVERIES = "check_result", "feed_scorecard", "feed_defect_month", "delivery_reconciliation"
OF_TABLES = "table_check_result"
UNITS = {"accepted_ratio": "ratio", "score": "score", "score_before": "score", "score_mean_24": "score"}
BETWEEN_FEEDS = "+"


@dataclass(frozen=True)
class QualityTables:
    """What the report is made of.

    ``results``, ``scores``, ``defects`` and ``reconciled`` are published tables of all months, ``of_tables`` what the
    checks of the published tables themselves found; ``checks`` is the catalogue as resolved; ``deliveries`` the ledger;
    ``rows`` the faulty rows of the month without values (feed, file_name, row_number, check_id, reason, column, shape).
    """

    results: pl.DataFrame
    scores: pl.DataFrame
    defects: pl.DataFrame
    reconciled: pl.DataFrame
    of_tables: pl.DataFrame
    checks: pl.DataFrame
    deliveries: pl.DataFrame
    rows: pl.DataFrame


@dataclass(frozen=True)
class Counts:
    """The figures of one month in one language."""

    tables: QualityTables
    month: date
    lang: str

    @cached_property
    def results(self) -> pl.DataFrame:
        """Results of the month."""
        return self.tables.results.filter(pl.col("month") == self.month)

    @cached_property
    def scores(self) -> pl.DataFrame:
        """Scorecards of the month, in order of department and feed."""
        return self.tables.scores.filter(pl.col("month") == self.month).sort("department", "feed")

    @cached_property
    def failed(self) -> pl.DataFrame:
        """Failed results, the worst first: mandatory before verifying, then by how far beyond what is allowed."""
        share = pl.col("numerator") / pl.col("denominator")
        beyond = share / pl.max_horizontal("threshold", pl.lit(0.001))
        found = self.results.filter(pl.col("state") == "failed").with_columns(beyond=beyond)
        return found.sort("check_class", "beyond", "check_id", "feed", descending=[False, True, False, False])

    def checks(self, **where: str) -> Figure:
        """How many results of the month have these values."""
        known = self.results
        for column, value in where.items():
            known = known.filter(pl.col(column) == value)
        return self._figure(RESULTS, "/".join(where.values()) or "all", known.height, "check", where, "count(*)")

    def total(self, column: str, **where: str) -> Figure:
        """The sum of a column of the scorecards that have these values."""
        known = self._scored(where)
        name = f"{column}/{'/'.join(where.values()) or 'all'}"
        return self._figure(
            SCORES, name, int(known[column].sum() or 0), UNITS.get(column, "row"), where, f"sum({column})"
        )

    def feeds(self, name: str, **where: str) -> Figure:
        """How many feeds have these values."""
        value = self._scored(where).height
        return self._figure(SCORES, f"{name}/{'/'.join(where.values())}", value, "feed", where, "count(*)")

    def judged_feeds(self) -> Figure:
        """How many feeds have their punctuality judged."""
        value = self.scores["is_on_time"].drop_nulls().len()
        return self._figure(SCORES, "judged", value, "feed", {}, "count(is_on_time)")

    def punctual_feeds(self, department: str) -> Figure:
        """How many feeds of a department came in time; unknown where none is judged."""
        judged = self._scored({"department": department})["is_on_time"].drop_nulls()
        value = int(judged.sum()) if judged.len() else None
        column = "sum(cast(is_on_time as integer))"
        return self._figure(SCORES, f"punctual/{department}", value, "feed", {"department": department}, column)

    def accepted_share(self, **where: str) -> Figure:
        """Rows accepted of the rows that came."""
        known = self._scored(where)
        rows = int(known["data_row_count"].sum() or 0)
        accepted = int(known["accepted_row_count"].sum() or 0)
        value = Decimal(accepted) / Decimal(rows) if rows else None
        name = f"accepted_share/{'/'.join(where.values()) or 'all'}"
        column = "sum(accepted_row_count) / nullif(sum(data_row_count), 0)"
        return self._figure(SCORES, name, value, "ratio", where, column)

    def score(self, feed: str, column: str, value: Any) -> Figure:
        """A cell of the scorecard of a feed."""
        number = None if value is None else Decimal(str(value))
        return self._figure(SCORES, f"{feed}/{column}", number, UNITS.get(column, "row"), {"feed": feed}, column)

    def result(self, row: Mapping[str, Any], column: str) -> Figure:
        """A cell of a result."""
        value = None if row[column] is None else Decimal(str(row[column]))
        unit = "ratio" if column == "threshold" else "row"
        where = {"check_id": row["check_id"], "feed": row["feed"]}
        return self._figure(RESULTS, f"{row['check_id']}/{row['feed']}/{column}", value, unit, where, column)

    def defect(self, row: Mapping[str, Any]) -> Figure:
        """How many rows of a feed have a fault."""
        names = ("feed", "treatment", "reason", "column_name")
        where = {name: row[name] for name in names}
        return self._figure(DEFECTS, "/".join(where.values()), row["row_count"], "row", where, "row_count")

    def table_checks(self, **where: str) -> Figure:
        """How many results of the published tables have these values; they are of the tables as a whole."""
        known = self.tables.of_tables
        for column, value in where.items():
            known = known.filter(pl.col(column) == value)
        name = f"{OF_TABLES}/{'/'.join(where.values())}"
        return Figure(name, Decimal(known.height), "check", OF_TABLES, where, "count(*)")

    def table_result(self, row: Mapping[str, Any], column: str) -> Figure:
        """A cell of a result of a published table."""
        value = None if row[column] is None else Decimal(str(row[column]))
        unit = "ratio" if column == "threshold" else "row"
        name = f"{OF_TABLES}/{row['check_id']}/{column}"
        return Figure(name, value, unit, OF_TABLES, {"check_id": row["check_id"]}, column)

    def delivery(self, row: Mapping[str, Any], column: str) -> Figure:
        """A count of one delivery against the ledger."""
        value = None if row[column] is None else Decimal(row[column])
        name = f"{DELIVERIES}/{row['delivery_id']}/{column}"
        return Figure(name, value, "row", DELIVERIES, {"delivery_id": row["delivery_id"]}, column)

    def unaccounted(self) -> Figure:
        """Rows of the month's accepted and held files that are neither accepted nor set aside."""
        value = int(self.reconciled["unaccounted_row_count"].abs().sum() or 0)
        where = {"period": f"{self.month:%Y-%m}"}
        name = f"{DELIVERIES}/{self.month:%Y-%m}/unaccounted"
        return Figure(name, Decimal(value), "row", DELIVERIES, where, "coalesce(sum(abs(unaccounted_row_count)), 0)")

    @cached_property
    def reconciled(self) -> pl.DataFrame:
        """Deliveries of the month against ledger and lake."""
        here = self.tables.reconciled.filter(pl.col("period") == f"{self.month:%Y-%m}")
        return here.sort("feed", "delivery_id")

    def _scored(self, where: Mapping[str, str]) -> pl.DataFrame:
        known = self.scores
        for column, value in where.items():
            wanted: Any = {"true": True, "false": False}.get(value, value)
            known = known.filter(pl.col(column) == wanted)
        return known

    def _figure(
        self, table: str, name: str, value: int | Decimal | None, unit: str, where: Mapping[str, str], column: str
    ) -> Figure:
        number = None if value is None else Decimal(value)
        address = {"month": f"{self.month:%Y-%m-%d}", **where}
        return Figure(f"{table}/{self.month:%Y-%m}/{name}", number, unit, table, address, column)

    # --- words ---------------------------------------------------------------------------------------------------

    def text(self, key: str, **places: object) -> str:
        """A text of this report."""
        return label(f"quality_report.{key}", self.lang, **places)

    def word(self, group: str, code: str | None) -> str:
        """A text for a code; one that nobody has written stands for itself."""
        return label_of_code(group, code, self.lang)

    def feed_title(self, feed: str) -> str:
        """What a feed is called; of a contradiction both sides."""
        titles = []
        for name in feed.split(BETWEEN_FEEDS):
            known = load_feeds().get(name)
            titles.append(self.word("quality.table", name) if known is None else _title(known, self.lang))
        return " + ".join(titles)

    @cached_property
    def _check_titles(self) -> dict[str, str]:
        found = dict(self.tables.checks.select("check_id", f"title_{self.lang}").iter_rows())
        for check in load_contradiction_checks():
            found[check.check_id] = check.title_zh if self.lang == "zh" else check.title_en
        return found

    def check_title(self, check_id: str) -> str:
        """What a check is called."""
        return self._check_titles.get(check_id) or check_id


def _title(feed: Any, lang: str) -> str:
    return str(feed.title_zh if lang == "zh" else feed.title_en)
