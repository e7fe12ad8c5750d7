"""The letter to a department: how its data was in a month, what it should mend or explain, where to look.

Belongs here: arranging published tables into sections of text that both PDF and workbook show. Does not belong here:
judging (``dbt_project/models/quality``) or reading stores. No value of any row comes here, only files, row numbers and
masked shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from models.calendar import next_month
from models.contract import Feed
from models.labels import label, label_of_code
from models.quality import load_grade
from workbench.pdf import Column, PageWords, PdfRoom, Report, Section

TREND_MONTHS = 24
Row = dict[str, Any]


@dataclass(frozen=True)
class LetterTables:
    """What a letter rests on, of all departments and months.

    ``examples``: feed, file_name, row_number, column, what (reason or check_id), shape (masked, may be null).
    """

    scorecard: pl.DataFrame
    results: pl.DataFrame
    defects: pl.DataFrame
    checks: pl.DataFrame
    waivers: pl.DataFrame
    examples: pl.DataFrame


@dataclass(frozen=True)
class Letter:
    """One department's month in one language."""

    tables: LetterTables
    feeds: Mapping[str, Feed]
    department: str
    month: date
    lang: str
    made_on: date

    def text(self, key: str, **places: object) -> str:
        return label(f"department_letter.{key}", self.lang, **places)

    @property
    def name(self) -> str:
        return label_of_code("department", self.department, self.lang)

    @property
    def month_text(self) -> str:
        return self.text("month", year=self.month.year, month=self.month.month)

    def feed_title(self, name: str) -> str:
        feed = self.feeds.get(name)
        if feed is None:
            return label_of_code("quality.table", name, self.lang)
        return feed.title_zh if self.lang == "zh" else feed.title_en

    # --- rows ----------------------------------------------------------------------------------------------------

    def cards(self) -> list[Row]:
        """The department's feeds in the month, the worst first."""
        own = self.tables.scorecard.filter(
            (pl.col("department") == self.department) & (pl.col("month") == self.month)
        ).sort(pl.col("score").fill_null(101), "feed")
        return own.to_dicts()

    def failed(self) -> list[Row]:
        """Failed checks of the department's feeds with their words, mandatory first."""
        titles = self.tables.checks.select(
            "check_id", title=f"title_{self.lang}", why=f"reason_{self.lang}", kind="kind"
        ).unique("check_id")
        own = self.tables.results.filter(
            (pl.col("owner_department") == self.department)
            & (pl.col("month") == self.month)
            & (pl.col("state") == "failed")
        )
        return own.join(titles, on="check_id", how="left").sort("check_class", "feed_owner", "check_id").to_dicts()

    def open_failures(self, wanted: Callable[[Row], bool]) -> list[Row]:
        return [row for row in self.failed() if row["waiver_id"] is None and wanted(row)]

    def mandatory(self) -> list[Row]:
        return self.open_failures(lambda row: row["check_class"] == "mandatory")

    def verifying(self) -> list[Row]:
        return self.open_failures(lambda row: row["check_class"] == "verifying" and row["feed"] == row["feed_owner"])

    def contradicting(self) -> list[Row]:
        return self.open_failures(lambda row: row["check_class"] == "verifying" and row["feed"] != row["feed_owner"])

    def defects(self) -> list[Row]:
        """Rows set aside and cells emptied by reason and column, most first."""
        own = self.tables.defects.filter(
            pl.col("feed").is_in([row["feed"] for row in self.cards()]) & (pl.col("month") == self.month)
        )
        return own.sort("row_count", "feed", "reason", "column_name", descending=[True, False, False, False]).to_dicts()

    def answer_by(self) -> date:
        """The due day of the next delivery: with it the mended data should come."""
        following = next_month(next_month(self.month))
        days = [self.feeds[row["feed"]].due_day for row in self.cards()]
        return following + timedelta(days=min(days, default=10) - 1)

    # --- sections --------------------------------------------------------------------------------------------------

    def sections(self) -> list[Section]:
        """Everything that stands in the letter, in order; what is empty says so."""
        made = [
            self._feed_section(),
            self._mend_section(),
            self._check_section("explain", self.verifying()),
            self._contradiction_section(),
            self._waived_section(),
            self._example_section(),
            self._trend_section(),
            self._grade_section(),
        ]
        return [section for section in made if section.rows or section.title != self.text("section.waived")]

    def _section(self, name: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], *notes: str) -> Section:
        return Section(self.text(f"section.{name}"), columns, rows, self.text("empty"), notes)

    def _column(self, name: str, share: float = 1.0, *, number: bool = False, small: bool = False) -> Column:
        return Column(self.text(f"column.{name}"), "right" if number else "left", share, small)

    def _feed_section(self) -> Section:
        columns = [self._column("feed", 2.2), self._column("grade", 0.8), self._column("score", 0.9, number=True)]
        columns += [self._column(name, 1, number=True) for name in ("score_before", "score_mean")]
        columns += [self._column("on_time", 1.2)]
        columns += [self._column(name, 1, number=True) for name in ("rows", "accepted", "failed", "contradiction")]
        rows = [
            (
                self.feed_title(row["feed"]),
                row["grade"] or "—",
                _number(row["score"]),
                _number(row["score_before"]),
                _number(row["score_mean_24"]),
                self._punctual(row),
                f"{row['data_row_count']:,}",
                _percent(row["accepted_ratio"]),
                str(row["failed_count"]),
                str(row["contradiction_count"]),
            )
            for row in self.cards()
        ]
        return self._section("feeds", columns, rows)

    def _punctual(self, row: Row) -> str:
        if row["is_expected"] and not row["is_arrived"]:
            return self.text("missing")
        if row["is_on_time"] is None:
            return self.text("not_judged")
        return self.text("said_yes") if row["is_on_time"] else self.text("days_late", days=row["late_days"])

    def _mend_section(self) -> Section:
        columns = [self._column("feed", 1.6), self._column("what", 2.6), self._column("column", 1.3)]
        columns += [self._column("treatment", 1.1), self._column("count", 0.7, number=True)]
        failed = [
            (self.feed_title(row["feed_owner"]), row["title"], "", self.text("column.failed"), str(row["numerator"]))
            for row in self.mandatory()
        ]
        faults = [
            (
                self.feed_title(row["feed"]),
                label_of_code("quality.reason", row["reason"], self.lang),
                self._header(row["feed"], row["column_name"]),
                label(f"quality.kind.{row['treatment']}", self.lang),
                str(row["row_count"]),
            )
            for row in self.defects()
        ]
        return self._section("mend", columns, [*failed, *faults], self.text("note.rows"))

    def _header(self, feed: str, column: str) -> str:
        if not column:
            return self.text("whole_row")
        try:
            return self.feeds[feed].column(column).header if self.lang == "zh" else column
        except KeyError:
            return column

    def _check_section(self, name: str, failed: Sequence[Row]) -> Section:
        columns = [self._column("feed", 1.5), self._column("check", 2.4), self._column("share", 1, number=True)]
        columns += [self._column("allowed", 0.8, number=True), self._column("why", 2.6), self._column("explained", 0.8)]
        rows = [
            (
                self.feed_title(row["feed_owner"]),
                row["title"],
                f"{row['numerator']:,} / {row['denominator']:,}",
                _percent(row["threshold"]),
                row["why"],
                self.text("said_yes" if row["explanation_id"] else "said_no"),
            )
            for row in failed
        ]
        return self._section(name, columns, rows)

    def _contradiction_section(self) -> Section:
        columns = [self._column("feed", 1.5), self._column("against", 1.5), self._column("check", 2.4)]
        columns += [self._column("share", 1, number=True), self._column("why", 2.6), self._column("explained", 0.8)]
        rows = [
            (
                self.feed_title(row["feed_owner"]),
                self._against(row["feed"]),
                row["title"],
                f"{row['numerator']:,} / {row['denominator']:,}",
                row["why"],
                self.text("said_yes" if row["explanation_id"] else "said_no"),
            )
            for row in self.contradicting()
        ]
        return self._section("contradict", columns, rows)

    def _against(self, pair: str) -> str:
        other = pair.split("+")[0]
        return self.feed_title(other) if other in self.feeds else label_of_code("quality.source", other, self.lang)

    def _waived_section(self) -> Section:
        until = dict(self.tables.waivers.select("waiver_id", "valid_until").iter_rows())
        columns = [self._column("feed", 1.5), self._column("check", 3), self._column("until", 1)]
        rows = [
            (self.feed_title(row["feed_owner"]), row["title"], f"{until.get(row['waiver_id'], '')}")
            for row in self.failed()
            if row["waiver_id"] is not None
        ]
        return self._section("waived", columns, rows)

    def _example_section(self) -> Section:
        titles = dict(self.tables.checks.select("check_id", f"title_{self.lang}").iter_rows())
        columns = [self._column("file", 2.4, small=True), self._column("row_number", 0.6, number=True)]
        columns += [self._column("what", 2), self._column("column", 1.1), self._column("shape", 1.6)]
        own = self.tables.examples.filter(pl.col("feed").is_in([row["feed"] for row in self.cards()]))
        rows = [
            (
                row["file_name"],
                str(row["row_number"]),
                titles.get(row["what"]) or label_of_code("quality.reason", row["what"], self.lang),
                self._header(row["feed"], row["column"] or ""),
                row["shape"] or "",
            )
            for row in own.iter_rows(named=True)
        ]
        return self._section("example", columns, rows, self.text("note.example"))

    def _trend_section(self) -> Section:
        own = self.tables.scorecard.filter((pl.col("department") == self.department) & (pl.col("month") <= self.month))
        feeds = sorted(own["feed"].unique())
        months = own["month"].unique().sort().to_list()[-TREND_MONTHS:]
        found = {(row["feed"], row["month"]): row for row in own.iter_rows(named=True)}
        columns = [self._column("month", 1), *(Column(self.feed_title(name), "center") for name in feeds)]
        rows = [
            (f"{month:%Y-%m}", *(_graded(found.get((name, month))) for name in feeds)) for month in reversed(months)
        ]
        return self._section("trend", columns, rows)

    def _grade_section(self) -> Section:
        grade, lang = load_grade(self.month), self.lang
        columns = [self._column("part", 1.2), self._column("weight", 0.6, number=True)]
        columns += [self._column("worst", 0.7, number=True), self._column("why", 4)]
        rows = [
            (
                part.title_zh if lang == "zh" else part.title_en,
                f"{part.weight:g}",
                f"{part.worst:g}" if part.worst >= 1 else _percent(part.worst),
                part.reason_zh if lang == "zh" else part.reason_en,
            )
            for part in grade.parts
        ]
        bounds = "，".join(f"{name} ≥ {least:g}" for name, least in grade.bounds)
        note = self.text("note.grade", bounds=bounds, cap=grade.cap_mandatory, missing=grade.not_arrived)
        return self._section("grade", columns, rows, grade.formula_zh if lang == "zh" else grade.formula_en, note)

    # --- the whole -------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """What is to be done: points to mend, to explain, contradictions."""
        unexplained = [row for row in self.verifying() if row["explanation_id"] is None]
        return {
            "mend": len(self.mandatory()) + len(self.defects()),
            "explain": len(unexplained),
            "contradict": len([row for row in self.contradicting() if row["explanation_id"] is None]),
        }

    def report(self) -> Report:
        """The letter as a report for paper."""
        cards, counts = self.cards(), self.counts()
        judged = [row for row in cards if row["is_on_time"] is not None]
        rows, got = (sum(row[name] for row in cards) for name in ("data_row_count", "accepted_row_count"))
        facts = [
            (self.text("fact.to"), self.name),
            (self.text("fact.month"), self.month_text),
            (self.text("fact.feeds"), str(len(cards))),
            (self.text("fact.files"), str(sum(row["file_count"] for row in cards))),
            (self.text("fact.made_on"), self.made_on.isoformat()),
            (self.text("fact.answer_by"), self.answer_by().isoformat()),
        ]
        on_time = f"{sum(row['is_on_time'] for row in judged)} / {len(judged)}" if judged else self.text("not_judged")
        findings = [
            (self.text("finding.on_time"), on_time),
            (self.text("finding.accepted"), _percent(got / rows if rows else None)),
            (self.text("finding.mandatory"), str(len(self.mandatory()))),
            (self.text("finding.unexplained"), str(counts["explain"])),
            (self.text("finding.contradiction"), str(counts["contradict"])),
        ]
        verdict = self.text("verdict.something", **counts) if any(counts.values()) else self.text("verdict.nothing")
        return Report(
            title=self.text("title"),
            subtitle=self.text("subtitle", department=self.name, month=self.month_text),
            facts=facts,
            verdict=verdict,
            findings=findings,
            sections=self.sections(),
            closing=[self.text(f"closing.{name}") for name in ("mend", "explain", "privacy")],
            footer=self.text("footer", department=self.name, month=self.month_text),
        )


def write_letters(letters: Sequence[Letter], folder: Path) -> list[Path]:
    """Write each letter as PDF and as workbook; returns the files, in order."""
    from workbench.department_letter_book import write_letter_book

    if not letters:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    first = letters[0]
    room = PdfRoom(PageWords(page=first.text("page", page="{page}", pages="{pages}"), language=_language(first.lang)))
    written: list[Path] = []
    for letter in letters:
        stem = f"{letter.text('file')}_{letter.name}_{letter.month:%Y-%m}".replace(" ", "_")
        report = letter.report()
        room.write(folder / f"{stem}.pdf", [report], f"{report.title} {report.subtitle}", letter.made_on)
        write_letter_book(folder / f"{stem}.xlsx", report, letter)
        written += [folder / f"{stem}.pdf", folder / f"{stem}.xlsx"]
    return written


def _language(lang: str) -> Any:
    return "zh" if lang == "zh" else "en"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _graded(row: Row | None) -> str:
    if row is None or row["grade"] is None:
        return "—"
    return f"{row['grade']} {row['score']:.0f}"
