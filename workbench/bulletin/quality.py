"""How good the data are that the bulletin's figures rest on: what came in, what did not pass, what does not agree.

Belongs here: the counts and sentences of that part. Does not belong here: the report on data quality itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from models.contract import load_feeds
from models.labels import label
from models.statistics import load_checks, load_outlier_measures
from workbench.bulletin.words import Words
from workbench.report.compose import compose, joined
from workbench.report.document import Column, Row, Sentence, Table, Tone
from workbench.report.figure import Figure

SCORES, COMPARISONS, OUTLIERS = "feed_scorecard", "figure_check", "township_outlier_month"
STATES = ("agrees", "explained", "unexplained")


@dataclass(frozen=True)
class DataQuality:
    """The published tables ``feed_scorecard``, ``figure_check`` and ``township_outlier_month`` of one month; the days
    on which feeds were due and came are those of ``delivery_month``.
    """

    month: date
    scores: pl.DataFrame
    days: pl.DataFrame
    comparisons: pl.DataFrame
    differing: pl.DataFrame

    @classmethod
    def of(
        cls,
        scores: pl.DataFrame,
        deliveries: pl.DataFrame,
        comparisons: pl.DataFrame,
        outliers: pl.DataFrame,
        month: date,
    ) -> DataQuality:
        """What is known of ``month``."""
        here = pl.col("month") == month
        days = deliveries.filter(here).select("feed", "due_on", "first_received_on", "is_stale")
        return cls(month, scores.filter(here), days, comparisons.filter(here), outliers.filter(here))

    def sentences(self, words: Words) -> Iterator[Sentence]:
        """What a reader of the bulletin has to know of its data."""
        yield self._arrival(words)
        rows, quarantined = self._rows("data_row_count"), self._rows("quarantined_row_count")
        if rows.value:
            yield compose("bulletin.quality.rows", words.lang, rows=rows, quarantined=quarantined)
        yield self._failed_checks(words)
        open_count = self.comparison_count("unexplained")
        if open_count.value:
            yield compose("bulletin.quality.differences", words.lang, "caution", count=open_count)
        elif not self.comparisons.is_empty():
            yield compose("bulletin.quality.no_difference", words.lang, "good")

    def _failed_checks(self, words: Words) -> Sentence:
        failed, mandatory = self._rows("failed_count", "check"), self._rows("mandatory_failed_count", "check")
        if not failed.value:
            return compose("bulletin.quality.no_check", words.lang, "good")
        tone: Tone = "bad" if mandatory.value else "caution"
        return compose("bulletin.quality.checks", words.lang, tone, failed=failed, mandatory=mandatory)

    def _arrival(self, words: Words) -> Sentence:
        missing = self.scores.filter(pl.col("is_expected") & ~pl.col("is_arrived")).sort("feed")["feed"].to_list()
        counts = {
            "due": self._feeds("due", {"is_expected": "true"}),
            "arrived": self._feeds("arrived", {"is_expected": "true", "is_arrived": "true"}),
            "on_time": self._feeds("on_time", {"is_on_time": "true"}),
            "late": self._feeds("late", {"is_on_time": "false"}),
        }
        tone: Tone = "bad" if missing else "caution" if counts["late"].value else "good"
        told = [compose("bulletin.quality.feeds", words.lang, "", **counts)]
        unjudged = self._unjudged()
        if unjudged.value:
            told.append(compose("bulletin.quality.unjudged", words.lang, count=unjudged))
        if missing:
            names = label("report.comma", words.lang).join(feed_title(feed, words.lang) for feed in missing)
            told.append(compose("bulletin.quality.missing", words.lang, feeds=names))
        return joined(told, words.lang, tone)

    def _unjudged(self) -> Figure:
        """Feeds that came, but with so many months at once that their punctuality says nothing."""
        came = pl.col("is_expected") & pl.col("is_arrived") & pl.col("is_on_time").is_null()
        where = {"is_expected": "true", "is_arrived": "true"}
        column = "count(*) - count(is_on_time)"
        return self._counted(SCORES, "unjudged", self.scores.filter(came).height, "feed", where, column)

    def _feeds(self, name: str, where: dict[str, str]) -> Figure:
        known = self.scores
        for column, value in where.items():
            known = known.filter(pl.col(column) == (value == "true"))
        return self._counted(SCORES, name, known.height, "feed", where)

    def _rows(self, column: str, unit: str = "row") -> Figure:
        total = int(self.scores[column].sum() or 0)
        return self._counted(SCORES, column, total, unit, {}, f"sum({column})")

    def comparison_count(self, state: str, check: str | None = None) -> Figure:
        """How many comparisons of the month ended in a state."""
        known = self.comparisons.filter(pl.col("state") == state)
        where = {"state": state}
        if check:
            known, where = known.filter(pl.col("check_id") == check), where | {"check_id": check}
        return self._counted(COMPARISONS, f"{check or 'all'}/{state}", known.height, "comparison", where)

    def _counted(
        self, table: str, name: str, count: int, unit: str, where: dict[str, str], column: str = "count(*)"
    ) -> Figure:
        return Figure(
            id=f"{table}/{self.month:%Y-%m}/{name}",
            value=Decimal(count),
            unit=unit,
            table=table,
            where={"month": f"{self.month:%Y-%m-%d}", **where},
            column=column,
        )

    def outliers(self, words: Words) -> list[tuple[str, str, str]]:
        """Townships beyond the limits: place, measure, in which direction."""
        measures = load_outlier_measures()
        names = {place.key: place.name for place in words.areas}
        found = []
        for row in (
            self.differing.filter(pl.col("state") == "alarm").sort("township_code", "measure").iter_rows(named=True)
        ):
            measure = measures[row["measure"]]
            title = measure.title_zh if words.lang == "zh" else measure.title_en
            direction = label(f"statistics.outlier.direction.{row['direction']}", words.lang)
            found.append((names.get(row["township_code"], row["township_code"]), title, direction))
        return found

    def outlier_count(self) -> Figure:
        """How many townships are beyond the limits."""
        count = self.differing.filter(pl.col("state") == "alarm")["township_code"].n_unique()
        where = {"state": "alarm"}
        return self._counted(OUTLIERS, "alarm", count, "township", where, "count(distinct township_code)")

    def feed_table(self, words: Words) -> Table:
        """What was due and what came, feed by feed."""
        names = ("feed", "department", "due_on", "received_on", "state", "grade", "rows", "quarantined")
        rows = []
        known = self.scores.join(self.days, on="feed", how="left").sort("department", "feed")
        for one in known.iter_rows(named=True):
            state = _state_of(one)
            tone: Tone = {"missing": "bad", "late": "caution"}.get(state, "")  # type: ignore[assignment]
            cells = (
                feed_title(one["feed"], words.lang),
                label(f"department.{one['department']}", words.lang),
                f"{one['due_on']:%Y-%m-%d}" if one["due_on"] else "",
                f"{one['first_received_on']:%Y-%m-%d}" if one["first_received_on"] else "",
                label(f"bulletin.arrival.{state}", words.lang),
                one["grade"] or label("bulletin.term.unknown", words.lang),
                self._feed_rows(one, "data_row_count"),
                self._feed_rows(one, "quarantined_row_count"),
            )
            rows.append(Row(cells, tone=tone))
        kinds = {"rows": "number", "quarantined": "number", "state": "state"}
        columns = tuple(Column(words.column(name), kinds.get(name, "text"), 20) for name in names)  # type: ignore[arg-type]
        return Table("feeds", label("bulletin.table.feeds", words.lang), columns, tuple(rows))

    def _feed_rows(self, row: dict[str, object], column: str) -> Figure:
        feed = str(row["feed"])
        where = {"feed": feed}
        return self._counted(SCORES, f"{feed}/{column}", int(str(row[column] or 0)), "row", where, column)

    def check_table(self, words: Words) -> Table:
        """How the figures agree with each other, comparison by comparison."""
        titles = [words.column("check"), *(label(f"statistics.state.{state}", words.lang) for state in STATES)]
        columns = (Column(titles[0], "text", 40), *(Column(title, "number", 16) for title in titles[1:]))
        rows = []
        for check in load_checks().values():
            counts = tuple(self.comparison_count(state, check.check) for state in STATES)
            title = check.title_zh if words.lang == "zh" else check.title_en
            rows.append(Row((title, *counts), tone="bad" if counts[-1].value else ""))
        return Table("checks", label("bulletin.table.checks", words.lang), columns, tuple(rows))


def feed_title(feed: str, lang: str) -> str:
    """What a feed is called."""
    known = load_feeds().get(feed)
    if known is None:
        return feed
    return known.title_zh if lang == "zh" else known.title_en


def _state_of(row: dict[str, object]) -> str:
    if row["is_arrived"]:
        return "backlog" if row["is_on_time"] is None else "on_time" if row["is_on_time"] else "late"
    if row["is_expected"]:
        return "missing"
    return "carried" if row["is_stale"] else "not_due"
