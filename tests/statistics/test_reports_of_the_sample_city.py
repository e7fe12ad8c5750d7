"""The reports of the sample city: every printed figure computed once more by queries of its own, in all forms.

Belongs here: what a report prints against the published tables, and what each form must hold to. Does not belong here:
the words (``tests/workbench``).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from pypdf import PdfReader

from models.statistics import load_figures
from orchestration.home.settings import DataHome
from orchestration.reporting.reports import REPORTS, newest_month, write_reports
from orchestration.trail.manifest import Written
from tests.browser import violations

pytestmark = pytest.mark.slow
LIMIT = 5
PEOPLE = {"person", "household", "alert", "visit", "case"}

# Main figures from the facts themselves: one row a thing, with month, county, township, layer and part.
FACTS = {
    "register_persons": """
        select month, division_code as place, layer, 'all' as part, 1 as value from benefit_member_month
        where is_counted_here""",
    "register_households": """
        select month, any_value(division_code) as place, any_value(layer) as layer, 'all' as part, 1 as value
        from benefit_member_month where is_counted_here group by month, certificate_no""",
    "resident_persons": """
        select m.month, h.village_code as place, 'all' as layer, 'all' as part, 1 as value
        from household_member_month m join household_month h using (month, household_id) where m.is_counted""",
    "persons_new": """
        select n.month, n.division_code as place, n.layer, 'all' as part, 1 as value
        from benefit_member_month n
        left join benefit_member_month b on b.person_key = n.person_key and b.is_counted_here
            and b.month = n.month - interval 1 month
        where n.is_counted_here and b.person_key is null""",
    "alerts_standing": """
        select month, village_code as place, 'all' as layer, side as part, 1 as value from alert where is_standing""",
    "alerts_listed": """
        select month, village_code as place, 'all' as layer, side as part, 1 as value from alert_list""",
    "alerts_by_level": """
        select month, village_code as place, 'all' as layer, level as part, 1 as value from alert where is_standing""",
    "alerts_overdue": """
        select month, village_code as place, 'all' as layer, side as part, 1 as value from alert_list
        where status = 'overdue'""",
    "elders_to_visit": """
        select month, village_code as place, 'all' as layer, 'all' as part, 1 as value from elder_visit_month
        where is_visit_due""",
    "elder_visits_done": """
        select month, village_code as place, 'all' as layer, 'all' as part, 1 as value from elder_visit_month
        where is_visit_due and visit_status = 'done'""",
    "children_of_concern": """
        select month, village_code as place, 'all' as layer, state as part, 1 as value from child_state_month""",
    "payment_amount": """
        select month, null as place, 'all' as layer, benefit as part, amount_yuan as value from aid_event
        where kind = 'payment' and status = 'paid'""",
    "payment_returned": """
        select month, null as place, 'all' as layer, benefit as part, amount_yuan as value from aid_event
        where kind = 'payment' and status = 'returned'""",
}
DIGITS = {"city": 0, "county": 6, "township": 9}


@dataclass(frozen=True)
class Told:
    """One report in one language: its four files and what its data say."""

    report: str
    lang: str
    files: dict[str, Path]
    data: dict[str, Any]

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in self.data["figures"]}


@cache
def pages_of(path: Path) -> list[str]:
    """The text of the first pages, on which all sentences stand, without blanks."""
    return [re.sub(r"\s", "", page.extract_text()) for page in PdfReader(path).pages[:3]]


@pytest.fixture(scope="module")
def written(sample_home: DataHome, tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    return write_reports(sample_home, newest_month(sample_home), tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def told(written: list[Written]) -> list[Told]:
    found = []
    for report, lang in sorted({(one.report, one.language) for one in written}):
        files = {one.form: Path(one.path) for one in written if (one.report, one.language) == (report, lang)}
        found.append(Told(report, lang, files, json.loads(files["json"].read_text(encoding="utf-8"))))
    return found


@pytest.fixture(scope="module")
def tables(sample_home: DataHome) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for path in sorted(sample_home.published.glob("*.parquet")):
            kind = "table" if path.stem in ("figure_month_area", "figure_check") else "view"
            connection.execute(f"create {kind} {path.stem} as select * from '{path}'")
        yield connection


class Addresses:
    """What the addresses of figures find; a table of which cells are asked is read once for all of them."""

    def __init__(self, tables: duckdb.DuckDBPyConnection) -> None:
        self.tables = tables
        self.cells: dict[tuple[str, ...], dict[tuple[str, ...], list[Any]]] = {}

    def read(self, figure: dict[str, Any]) -> list[Decimal | None]:
        table, column, where = figure["table"], figure["column"], figure["where"]
        if "(" in column:
            wanted = " and ".join(f"{name} = '{value}'" for name, value in where.items())
            found = [row[0] for row in self.tables.execute(f"select {column} from {table} where {wanted}").fetchall()]
        else:
            found = self._cells(table, column, tuple(where)).get(tuple(where.values()), [])
        return [None if value is None else Decimal(str(value)) for value in found]

    def _cells(self, table: str, column: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], list[Any]]:
        if (table, column, *keys) not in self.cells:
            names = ", ".join(f"cast({key} as varchar)" for key in keys)
            rows: dict[tuple[str, ...], list[Any]] = {}
            for *place, value in self.tables.execute(f"select {names}, {column} from {table}").fetchall():
                rows.setdefault(tuple(place), []).append(value)
            self.cells[(table, column, *keys)] = rows
        return self.cells[(table, column, *keys)]


def from_villages(tables: duckdb.DuckDBPyConnection, name: str, where: dict[str, str]) -> Decimal | None:
    """A figure added up from its villages; a rate from its two figures."""
    entry = load_figures()[name]
    if entry.is_rate:
        parts = [from_villages(tables, base or "", where) for base in (entry.numerator, entry.denominator)]
        return parts[0] / parts[1] if parts[0] is not None and parts[1] else None
    digits = DIGITS[where["area_level"]]
    area = (
        f"and left(area_code, {digits}) = '{where['area_code']}'" if digits and where["area_code"] != "420700" else ""
    )
    if where["area_code"] == "420700" and where["area_level"] == "county":
        area = "and left(area_code, 6) = '420700'"
    parts = "and dimension = 'all'" if where["dimension"] == "all" else f"and dimension = '{where['dimension']}'"
    (value,) = tables.execute(
        f"""select sum(value) from figure_month_area where figure = '{name}' and month = '{where["month"]}'
        and area_level = 'village' and layer = '{where["layer"]}' {parts} {area}"""
    ).fetchall()[0]
    return None if value is None else Decimal(str(value))


def from_facts(tables: duckdb.DuckDBPyConnection, name: str, where: dict[str, str]) -> Decimal:
    """A figure counted from facts, one row a thing."""
    digits = DIGITS[where["area_level"]]
    wanted = [f"month = '{where['month']}'"]
    wanted += [f"left(place, {digits}) = '{where['area_code']}'"] if digits else []
    wanted += [f"layer = '{where['layer']}'"] if where["layer"] != "all" else []
    wanted += [f"part = '{where['dimension']}'"] if where["dimension"] != "all" else []
    (value,) = tables.execute(
        f"select coalesce(sum(value), 0) from ({FACTS[name]}) where {' and '.join(wanted)}"
    ).fetchall()[0]
    return Decimal(str(value))


def test_every_figure_is_what_its_address_finds(told: list[Told], tables: duckdb.DuckDBPyConnection) -> None:
    addresses = Addresses(tables)
    for one in told:
        assert len(one.figures) > 100
        if one.lang == "en":
            continue  # the same figures, as the test below says
        for figure in one.figures.values():
            if figure["hidden"] or figure["formula"]:
                continue
            found = addresses.read(figure)
            value = None if figure["value"] is None else Decimal(str(figure["value"]))
            # A part or an area in which nothing was counted has no row: it is nothing, not unknown.
            assert found == [value] or (found == [] and value in (Decimal(0), None)), figure


def test_both_languages_print_the_same_figures(told: list[Told]) -> None:
    for report in REPORTS:
        zh, en = (
            {name: figure["value"] for name, figure in one.figures.items()} for one in told if one.report == report
        )
        assert zh == en


def test_every_difference_is_that_of_its_figures(told: list[Told], tables: duckdb.DuckDBPyConnection) -> None:
    for one in told:
        for figure in one.figures.values():
            if figure["formula"][:1] != ["minus"] or figure["value"] is None:
                continue
            now, before = (one.figures.get(name) for name in figure["formula"][1:])
            if now and before:
                assert figure["value"] == pytest.approx(now["value"] - before["value"]), figure


def test_figures_of_the_bulletin_add_up_from_villages(told: list[Told], tables: duckdb.DuckDBPyConnection) -> None:
    (bulletin,) = [one for one in told if (one.report, one.lang) == ("bulletin", "en")]
    compared = 0
    for figure in bulletin.figures.values():
        if figure["table"] != "figure_month_area" or figure["value"] is None:
            continue
        name, where = figure["where"]["figure"], figure["where"]
        entry = load_figures()[name]
        bases = [entry.numerator, entry.denominator] if entry.is_rate else [name]
        # Who moves between villages moved for them and not for the township.
        if not all(load_figures()[base or ""].sums for base in bases):
            continue
        expected = from_villages(tables, name, where)
        assert figure["value"] == pytest.approx(float(expected or 0), abs=0.0001), figure
        compared += 1
    assert compared > 300


def test_main_figures_of_the_bulletin_are_those_of_the_facts(
    told: list[Told], tables: duckdb.DuckDBPyConnection
) -> None:
    (bulletin,) = [one for one in told if (one.report, one.lang) == ("bulletin", "zh")]
    compared: dict[str, int] = {}
    for figure in bulletin.figures.values():
        if figure["table"] != "figure_month_area" or figure["value"] is None:
            continue
        where = figure["where"]
        name = where["figure"]
        placed = where["area_level"] == "city" or not name.startswith("payment")
        if name not in FACTS or not placed or (where["area_code"] == "420700" and where["area_level"] != "city"):
            continue
        assert figure["value"] == from_facts(tables, name, where), figure
        compared[name] = compared.get(name, 0) + 1
    assert set(compared) == set(FACTS), set(FACTS) - set(compared)


def test_nothing_small_is_printed_anywhere(told: list[Told]) -> None:
    for one in told:
        if one.report != "bulletin":
            continue
        hidden = [figure for figure in one.figures.values() if figure["hidden"]]
        assert {figure["hidden"] for figure in hidden} == {"small", "rest"}
        assert all(figure["value"] is None for figure in hidden)
        for figure in one.figures.values():
            if figure["unit"] in PEOPLE and figure["table"] == "figure_month_area" and figure["value"] is not None:
                assert figure["value"] == 0 or figure["value"] >= LIMIT, figure


class Numbers(HTMLParser):
    """Text of a page with the figure that each stretch belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[dict[str, str | None]] = []
        self.shown: list[tuple[str, str]] = []
        self.drawn: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "br", "img"):
            self.stack.append({"tag": tag, **dict(attrs)})

    def handle_endtag(self, tag: str) -> None:
        if self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        here = self.stack[-1] if self.stack else {}
        if here.get("data-figure"):
            self.shown.append((str(here["data-figure"]), data))
        elif here.get("tag") == "text" and here.get("class") != "tick":
            self.drawn.append(data)


def test_every_number_of_the_page_is_a_figure(told: list[Told]) -> None:
    for one in told:
        page = Numbers()
        page.feed(one.files["html"].read_text(encoding="utf-8"))
        assert len(page.shown) > 100
        for name, text in page.shown:
            shown = one.figures[name]["shown"]
            assert text == shown or shown in text or one.figures[name]["value"] in (0, None), (name, text)
        # Names of places and lines in drawings have no digits: numbers there are figures or ticks.
        assert [text for text in page.drawn if re.search(r"\d", text)] == []


def test_sentences_stand_on_page_paper_and_in_the_workbook(told: list[Told]) -> None:
    for one in told:
        paper = "".join(pages_of(one.files["pdf"]))
        book = openpyxl.load_workbook(one.files["xlsx"], read_only=True)
        first = {row[0] for row in book.worksheets[0].iter_rows(values_only=True)}
        page = one.files["html"].read_text(encoding="utf-8")
        assert one.data["title"] in page
        for sentence in one.data["sentences"]:
            assert re.sub(r"\s", "", sentence["text"]) in paper, sentence["text"]
            assert sentence["text"] in first


def test_the_workbook_has_every_table_with_its_numbers(told: list[Told]) -> None:
    for one in told:
        book = openpyxl.load_workbook(one.files["xlsx"])
        sheets = [sheet for sheet in book.worksheets if " · " in str(sheet["A1"].value)]
        assert len(sheets) == len(one.data["tables"])
        for sheet, table in zip(sheets, one.data["tables"], strict=True):
            rows = list(sheet.iter_rows(min_row=4, values_only=True))[: len(table["rows"])]
            for cells, row in zip(rows, table["rows"], strict=False):
                for cell, told_cell in zip(cells, row, strict=False):
                    if isinstance(told_cell, dict):
                        figure = one.figures[told_cell["figure"]]
                        is_number = figure["value"] is not None and figure["unit"] != "points"
                        assert cell == pytest.approx(figure["value"]) if is_number else cell == figure["shown"]


def test_the_page_stands_alone_and_is_small(told: list[Told]) -> None:
    for one in told:
        page = one.files["html"].read_text(encoding="utf-8")
        assert len(page.encode()) < 2_000_000
        assert re.findall(r"(?:src|href)=\"(?!#)", page) == []
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
        assert "<script" not in page


def test_the_pdf_is_an_archivable_one_with_its_fonts_in_it(told: list[Told]) -> None:
    for one in told:
        reader = PdfReader(one.files["pdf"])
        metadata = reader.xmp_metadata
        assert metadata is not None
        text = metadata.stream.get_data().decode()
        assert re.search(r"pdfaid:part>2<", text)
        assert re.search(r"pdfaid:conformance>A<", text)
        catalogue = reader.trailer["/Root"]
        assert catalogue["/MarkInfo"]["/Marked"]
        assert catalogue["/Lang"]
        assert catalogue["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
        assert "/ID" in reader.trailer
        assert "/Encrypt" not in reader.trailer
        assert "/JavaScript" not in str(catalogue)
        for page in reader.pages:
            for font in page["/Resources"].get("/Font", {}).values():
                for inner in font.get_object()["/DescendantFonts"]:
                    assert "/FontFile3" in inner.get_object()["/FontDescriptor"].get_object()


def test_a_leader_reads_the_month_in_two_pages(told: list[Told]) -> None:
    for one in told:
        if one.report == "bulletin":
            pages = pages_of(one.files["pdf"])
            headings = {
                "zh": (("本月要点",), ("分层与增减", "预警与处置"), ("各区、乡镇（街道）",)),
                "en": (("Mainpoints",), ("Layersandflows", "Alertsandanswers"), ("Countiesandtownships",)),
            }
            for page, titles in zip(pages, headings[one.lang], strict=True):
                assert all(title in page for title in titles)


def test_the_same_tables_give_the_same_bytes(sample_home: DataHome, written: list[Written], tmp_path: Path) -> None:
    again = write_reports(sample_home, newest_month(sample_home), tmp_path, languages=("zh",))
    before = {Path(one.path).name: one.sha256 for one in written}
    assert {Path(one.path).name: one.sha256 for one in again} == {
        name: before[name] for name in (Path(one.path).name for one in again)
    }


def test_the_manifest_names_every_file_with_its_fingerprint(written: list[Written]) -> None:
    folder = Path(written[0].path).parent
    (manifest,) = folder.glob("manifest_*.json")
    lines = {line["path"]: line["sha256"] for line in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
    assert set(lines) == {path.name for path in folder.iterdir()} - {manifest.name}
    assert {one.report for one in written} == set(REPORTS)
    for name, fingerprint in lines.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == fingerprint


def test_an_accessibility_check_finds_nothing(told: list[Told], tmp_path: Path) -> None:
    for one in told:
        if one.lang == "zh":
            assert violations(one.files["html"], tmp_path, 390) == []


def test_months_before_the_newest_can_be_had_too(sample_home: DataHome, tmp_path: Path) -> None:
    written = write_reports(sample_home, date(2023, 1, 1), tmp_path, languages=("en",), forms=("json",))
    data = json.loads(Path(written[0].path).read_text(encoding="utf-8"))
    assert data["month"] == "2023-01"
