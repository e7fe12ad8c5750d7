"""The figures of the monthly data-quality report, as tables that page and workbook both show.

Belongs here: counting and arranging what ledger and check results say of one month. Does not belong here: how it
looks (``quality_report``, ``quality_workbook``), and judging data (``expectations``). No value of any row comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from models.calendar import ZONE_NAME
from models.contract import Feed
from models.labels import LabelError, label
from workbench.quality_table import (
    CLASSES,
    DIMENSIONS,
    STATES,
    Table,
    counts_of,
    due_on,
    month_after,
    months_until,
    number,
    percent,
    words,
)

HISTORY_MONTHS = 12


@dataclass(frozen=True)
class QualityMonth:
    """Everything known of one month, in one language.

    ``deliveries``: the ledger. ``results``, ``checks``, ``failing_rows``: as ``expectations`` writes them.
    ``quarantined``: delivery_id, row_number, reason and, where known, the state of the row.
    """

    month: str
    lang: str
    feeds: Mapping[str, Feed]
    deliveries: pl.DataFrame
    results: pl.DataFrame
    checks: pl.DataFrame
    failing_rows: pl.DataFrame
    quarantined: pl.DataFrame

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """The ledger with times of the city."""
        dtype = self.deliveries.schema["received_at"]
        if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
            return self.deliveries
        received = pl.col("received_at").dt.convert_time_zone(ZONE_NAME).dt.replace_time_zone(None)
        return self.deliveries.with_columns(received_at=received)

    @cached_property
    def own(self) -> pl.DataFrame:
        """The month's deliveries; of those that state no month, what came in the month after."""
        following = month_after(self.month)
        received = pl.col("received_at").cast(pl.String).str.slice(0, 7)
        stateless = pl.col("period").is_null() & (received == following)
        return self.ledger.filter((pl.col("period") == self.month) | stateless).sort("feed", "received_at", "file_name")

    @cached_property
    def judged(self) -> pl.DataFrame:
        """The month's results with the titles of their checks and the names of their files."""
        here = self.results.filter(pl.col("period").is_null() | (pl.col("period") == self.month))
        # What was wrong with a file that a correction replaced is no fault of the month any more.
        replaced = self.deliveries.filter(pl.col("status") == "accepted").select(delivery_id="supersedes").drop_nulls()
        here = here.join(replaced, on="delivery_id", how="anti")
        titles = self.checks.select(
            "check_id",
            "kind",
            "owner",
            title=f"title_{self.lang}",
            why=f"reason_{self.lang}",
            columns="columns",
        ).unique("check_id")
        files = self.deliveries.select("delivery_id", "file_name", "division").unique("delivery_id")
        return here.join(titles, on="check_id", how="left").join(files, on="delivery_id", how="left")

    @cached_property
    def failed(self) -> pl.DataFrame:
        """Failed results, the worst first: mandatory before verifying, then by how far beyond what is allowed."""
        share = pl.col("numerator") / pl.col("denominator")
        beyond = share / pl.max_horizontal("threshold", pl.lit(0.001))
        return (
            self.judged.filter(pl.col("state") == "failed")
            .with_columns(share=share, beyond=beyond)
            .sort("class", "beyond", "check_id", "delivery_id", descending=[False, True, False, False])
        )

    def feed_title(self, name: str) -> str:
        if name in self.feeds:
            return self.feeds[name].title_zh if self.lang == "zh" else self.feeds[name].title_en
        return words("quality.table", name, self.lang)

    def department(self, name: str) -> str:
        return words("department", self.feeds[name].department, self.lang) if name in self.feeds else ""

    def text(self, key: str, **places: object) -> str:
        return label(f"quality.{key}", self.lang, **places)

    def state(self, name: str) -> str:
        return words("check_state", name, self.lang)

    def shown(self, column: str, value: Any) -> Any:
        """A cell as people read it: codes of feeds, dimensions and classes by their titles."""
        if column in ("feed", "feed_or_table"):
            return self.feed_title(value)
        if column in ("dimension", "class") and value in (*DIMENSIONS, *CLASSES):
            return self.text(f"{column}.{value}")
        return value

    # --- tables ------------------------------------------------------------------------------------------------

    @cached_property
    def grid(self) -> Table:
        """Counts by dimension, class and state; every combination has its row, an empty one too."""
        counted = dict(self._count(["dimension", "class", "state"]))
        rows = [
            (dimension, kind, *(counted.get((dimension, kind, state), 0) for state in STATES))
            for dimension in DIMENSIONS
            for kind in CLASSES
        ]
        return Table("grid", ("dimension", "class", *STATES), tuple(rows))

    def _count(self, by: list[str]) -> Iterable[tuple[tuple[Any, ...], int]]:
        for row in self.judged.group_by(by).len().iter_rows():
            yield row[:-1], row[-1]

    @cached_property
    def actions(self) -> Table:
        """Files that did not enter and months without data, each with its next step."""
        columns = ("feed", "department", "file", "division", "status", "reason", "action", "delivery_id")
        turned_away = self.own.filter(pl.col("status") != "accepted")
        rows = [
            (
                row["feed"],
                self.department(row["feed"]),
                row["file_name"],
                row["division"] or self.text("whole_city"),
                words("delivery_status", row["status"], self.lang),
                words("quality.reason", row["reason"], self.lang),
                self._action(row),
                row["delivery_id"] if row["status"] == "held" else "",
            )
            for row in turned_away.iter_rows(named=True)
        ]
        missing = self.judged.filter((pl.col("kind") == "arrived") & (pl.col("state") == "failed"))
        reason, action = self.text("reason.not_received"), self.text("action.not_received")
        rows += [
            (name, self.department(name), "", "", self.text("not_received"), reason, action, "")
            for name in missing["feed_or_table"].sort()
        ]
        return Table("action", columns, tuple(rows))

    def _action(self, row: Mapping[str, Any]) -> str:
        same = (pl.col("feed") == row["feed"]) & (pl.col("status") == "accepted")
        later = self.own.filter(
            same & pl.col("division").eq_missing(row["division"]) & (pl.col("received_at") >= row["received_at"])
        )
        if row["status"] != "duplicate" and later.height:
            return self.text("action.in_force" if row["status"] == "held" else "action.replaced")
        reason = str(row["reason"] or row["status"]).partition(":")[0]
        try:
            return self.text(f"action.{reason}")
        except LabelError:
            return self.text("action.other")

    @cached_property
    def by_feed(self) -> Table:
        columns = (
            *("department", "feed", "due_on", "received_on", "on_time", "files", "accepted_files"),
            *("rows_data", "rows_accepted", "rows_quarantined", "accepted_share", "defects", "failed"),
        )
        failed = dict(self.failed.group_by("feed_or_table").len().iter_rows())
        order = sorted(self.feeds, key=lambda name: (self.feeds[name].department, name))
        return Table("feed", columns, tuple(self._feed_row(name, failed.get(name, 0)) for name in order))

    def _feed_row(self, name: str, failed: int) -> tuple[Any, ...]:
        own = self.own.filter(pl.col("feed") == name)
        taken = own.filter(pl.col("status") == "accepted")
        counts = taken.select(pl.col("rows_data", "rows_accepted", "rows_quarantined").sum()).row(0)
        defects = sum(sum(counts_of(text).values()) for text in taken["cell_defects_by_reason"])
        due = due_on(self.month, self.feeds[name].due_day)
        received = taken["received_at"].cast(pl.String).str.slice(0, 10).max() if taken.height else None
        return (
            self.department(name),
            name,
            due.isoformat(),
            received or self._absence(name),
            self._punctual(name, taken.height),
            own.height,
            taken.height,
            *counts,
            counts[1] / counts[0] if counts[0] else None,
            defects,
            failed,
        )

    def _absence(self, name: str) -> str:
        """Why there is nothing of the month: not due yet, carried on (a quarterly feed), or not received."""
        states = self.judged.filter((pl.col("feed_or_table") == name) & (pl.col("kind") == "arrived"))[
            "state"
        ].to_list()
        key = {"not_applicable": "not_due", "passed": "carried"}.get(states[0] if states else "", "not_received")
        return self.text(key)

    def _punctual(self, name: str, taken: int) -> str:
        if not taken:
            return ""
        mine = (pl.col("feed_or_table") == name) & (pl.col("kind") == "on_time")
        states = set(self.judged.filter(mine)["state"])
        return self.text("said_no" if "failed" in states else "said_yes" if "passed" in states else "backlog")

    @cached_property
    def quarantine(self) -> Table:
        """Quarantined rows and nulled cells of accepted and held deliveries, by feed and reason, from the ledger."""
        counts: dict[tuple[str, str, str], int] = {}
        taken = self.own.filter(pl.col("status").is_in(["accepted", "held"]))
        for row in taken.iter_rows(named=True):
            for kind, column in (("quarantined", "quarantined_by_reason"), ("nulled", "cell_defects_by_reason")):
                for reason, count in counts_of(row[column]).items():
                    key = (row["feed"], kind, reason)
                    counts[key] = counts.get(key, 0) + count
        rows = [
            (feed, self.text(f"kind.{kind}"), words("quality.reason", reason, self.lang), count)
            for (feed, kind, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0]))
        ]
        return Table("quarantine", ("feed", "kind", "reason", "count"), tuple(rows))

    @cached_property
    def worst(self) -> Table:
        columns = ("feed_or_table", "check", "class", "dimension", "file", "result", "expected", "why", "check_id")
        rows = [
            (
                row["feed_or_table"],
                row["title"] or row["check_id"],
                self.text(f"class.{row['class']}"),
                self.text(f"dimension.{row['dimension']}"),
                row["file_name"] or "",
                *self.result_and_expected(row),
                row["why"] or "",
                row["check_id"],
            )
            for row in self.failed.iter_rows(named=True)
        ]
        return Table("worst", columns, tuple(rows))

    def result_and_expected(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """What was found and what had been expected, in words: a share of rows, or one number and its bounds."""
        low, high = row["expected_low"], row["expected_high"]
        if row["observed"] is None or row["denominator"] > 1:
            places = {"numerator": f"{row['numerator']:,}", "denominator": f"{row['denominator']:,}"}
            share = self.text("note.share_observed", **places, share=percent(row["numerator"] / row["denominator"]))
            allowed = self.text("note.at_most", high=percent(row["threshold"]))
            return share, allowed if row["threshold"] else self.text("note.none_allowed")
        shape = percent if row["kind"] in ("filled_share_steady", "code_mix_steady") else number
        observed = shape(row["observed"])
        if low is not None and high is not None:
            return observed, self.text("note.range", low=shape(max(low, 0)), high=shape(high))
        if high is not None:
            return observed, self.text("note.at_most", high=shape(high))
        return observed, self.text("note.at_least", low=shape(low))

    @cached_property
    def reconciliation(self) -> Table:
        columns = (
            *("feed", "file", "division", "status", "rows_data", "rows_accepted", "rows_quarantined"),
            *("difference", "rows_lake", "rows_framing", "balanced", "delivery_id"),
        )
        counted = self.results.filter(pl.col("check_id").str.ends_with(".lake_equals_ledger"))
        in_lake = dict(counted.select("delivery_id", pl.col("observed").cast(pl.Int64)).iter_rows())
        rows = []
        for row in self.own.filter(pl.col("status").is_in(["accepted", "held"])).iter_rows(named=True):
            difference = row["rows_data"] - row["rows_accepted"] - row["rows_quarantined"]
            rows.append(
                (
                    row["feed"],
                    row["file_name"],
                    row["division"] or self.text("whole_city"),
                    words("delivery_status", row["status"], self.lang),
                    row["rows_data"],
                    row["rows_accepted"],
                    row["rows_quarantined"],
                    difference,
                    in_lake.get(row["delivery_id"]),
                    row["rows_framing"],
                    self.text("said_no" if difference else "said_yes"),
                    row["delivery_id"],
                )
            )
        return Table("reconciliation", columns, tuple(rows))

    @cached_property
    def failing(self) -> Table:
        """Where the failing rows are: file and row number, never a value."""
        wanted = self.failed.select("check_id", "delivery_id", "title", "file_name")
        keys = ["check_id", "delivery_id"]
        joined = wanted.join(self.failing_rows, on=keys, nulls_equal=True, maintain_order="left")
        rows = joined.select("feed_or_table", "check_id", "title", "file_name", "row_number").rows()
        return Table("failing_row", ("feed_or_table", "check_id", "check", "file", "row_number"), tuple(rows))

    @cached_property
    def quarantined_rows(self) -> Table:
        own = self.own.select("delivery_id", "feed", "file_name")
        waiting = self.quarantined
        if "state" in waiting.columns:  # what was mended or sent again waits for nobody
            waiting = waiting.filter(pl.col("state").is_in(["open", "held"]))
        joined = own.join(waiting.select("delivery_id", "row_number", "reason"), on="delivery_id")
        rows = joined.sort("feed", "file_name", "row_number").select("feed", "file_name", "row_number", "reason").rows()
        shown = tuple((*row[:3], words("quality.reason", row[3], self.lang)) for row in rows)
        return Table("quarantined_row", ("feed", "file", "row_number", "reason"), shown)

    @cached_property
    def all_results(self) -> Table:
        columns = (
            *("feed_or_table", "check_id", "check", "class", "dimension", "file", "state"),
            *("numerator", "denominator", "share", "threshold"),
        )
        ordered = self.judged.sort("feed_or_table", "check_id", "delivery_id")
        rows = [
            (
                row["feed_or_table"],
                row["check_id"],
                row["title"],
                self.text(f"class.{row['class']}"),
                self.text(f"dimension.{row['dimension']}"),
                row["file_name"] or "",
                words("check_state", row["state"], self.lang),
                row["numerator"],
                row["denominator"],
                row["numerator"] / row["denominator"] if row["denominator"] else None,
                row["threshold"],
            )
            for row in ordered.iter_rows(named=True)
        ]
        return Table("result", columns, tuple(rows))

    @cached_property
    def catalogue(self) -> Table:
        columns = (
            "feed_or_table",
            "check_id",
            "check",
            "class",
            "dimension",
            "column",
            "threshold",
            "why",
            "department",
        )
        rows = [
            (
                row["feed_or_table"],
                row["check_id"],
                row[f"title_{self.lang}"],
                self.text(f"class.{row['class']}"),
                self.text(f"dimension.{row['dimension']}"),
                row["columns"],
                row["threshold"],
                row[f"reason_{self.lang}"],
                words("department", row["owner"], self.lang),
            )
            for row in self.checks.sort("feed_or_table", "check_id").iter_rows(named=True)
        ]
        return Table("check", columns, tuple(rows))

    @cached_property
    def history(self) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[tuple[str, int], ...]], ...]]:
        """Months, and for each feed (state, failed checks) of each: the last 12 up to this month."""
        months = months_until(self.month, HISTORY_MONTHS)
        known = self.results.filter(pl.col("period").is_in(list(months)))
        failed = pl.col("state") == "failed"
        grave = (failed & (pl.col("class") == "mandatory")).any()
        summed = known.group_by("feed_or_table", "period").agg(failed=failed.sum(), grave=grave)
        taken = self.deliveries.filter(pl.col("status") == "accepted").select("feed", "period").unique()
        present = set(taken.iter_rows())
        state: dict[tuple[str, str], tuple[str, int]] = {}
        for feed, period, count, is_grave in summed.iter_rows():
            worst = "bad" if is_grave else "caution" if count else "good"
            # Without a delivery and without complaint a quarterly register goes on as it was.
            state[(feed, period)] = (worst if (feed, period) in present or is_grave else "carried", count)
        rows = tuple((name, tuple(state.get((name, month), ("none", 0)) for month in months)) for name in self.feeds)
        return months, rows
