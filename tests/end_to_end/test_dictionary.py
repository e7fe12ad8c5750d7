"""The data dictionary of the sample city's warehouse: nothing is missing, every link leads somewhere, search finds."""

import re
import subprocess
from html import unescape
from pathlib import Path

import pytest

from models.contract import load_feeds
from models.dictionary import join_questions
from orchestration.home.settings import DataHome
from orchestration.reporting.dictionary import dictionary_of
from tests.browser import browser, violations
from workbench.dictionary import Column, Gap, Table, gaps
from workbench.dictionary_site import Site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables(sample_home: DataHome) -> dict[str, Table]:
    return {table.id: table for table in dictionary_of(sample_home)}


@pytest.fixture(scope="module")
def site(tables: dict[str, Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    Site(tuple(tables.values()), "zh").write(folder)
    return folder


def column(tables: dict[str, Table], table: str, name: str) -> Column:
    (found,) = [one for one in tables[table].columns if one.name == name]
    return found


def test_no_table_or_column_lacks_anything(tables: dict[str, Table], sample_home: DataHome) -> None:
    assert gaps(tuple(tables.values())) == []
    published = {path.stem for path in sample_home.published.glob("*.parquet")}
    assert {table.name for table in tables.values() if table.access == "public"} == published
    assert {table.name for table in tables.values() if table.access == "lake"} == set(load_feeds())
    assert {path.stem for path in sample_home.reference.glob("*.parquet")} >= {
        table.name for table in tables.values() if table.access == "reference"
    }


def test_columns_of_contracts_and_grains_have_chinese_names(tables: dict[str, Table]) -> None:
    lake = [table for table in tables.values() if table.access == "lake"]
    assert [column.name for table in lake for column in table.columns if not column.heading_zh] == []
    assert [table.id for table in lake if not table.grain_zh] == []
    assert tables["quality.feed_scorecard"].grain_zh == "每行对应一个：月份、部门、数据"


def test_what_lacks_something_is_told() -> None:
    bare = Column("a", "text", "", "", (), (), "", "secret")
    table = Table("identity", "t", "", "Rows of t.", "", "", (), "public", (bare,), (), (), (), "internal", ("grain",))
    assert {gap.what for gap in gaps((table,))} == {"grain", "description", "source", "sensitivity"}
    assert Gap("identity.t", "a", "description") in gaps((table,))


def test_a_column_leads_to_the_cell_that_was_delivered(tables: dict[str, Table]) -> None:
    income = column(tables, "identity.person_pension", "amount_yuan")
    assert income.feeds == (("pension_payment", "金额"),)
    assert income.heading_zh == "金额"
    assert ("staging", "stg_human_resources__pension_payment", "amount") in income.sources
    assert "pension_payment" in tables["indicators.household_month_income"].feeds


def test_who_must_not_see_it(tables: dict[str, Table]) -> None:
    assert column(tables, "lake.pension_payment", "name").sensitivity == "identity"
    assert column(tables, "identity.person_pension", "person_key").sensitivity == "pseudonym"
    assert tables["identity.person_disability"].sensitivity == "sensitive"
    assert tables["reference.household_given"].sensitivity == "pseudonym"
    identities = [table.schema for table in tables.values() for one in table.columns if one.sensitivity == "identity"]
    assert set(identities) == {"lake"}, "names stand in the vault alone"


def test_questions_before_a_join_are_those_of_its_columns(tables: dict[str, Table]) -> None:
    assert {"grain", "unique", "month", "household"} <= set(tables["identity.household_month"].questions)
    assert "benefit" in tables["identity.person_payment"].questions
    assert "household" not in tables["lake.price_index"].questions
    asked = {name for table in tables.values() for name in table.questions}
    assert asked == {question.id for question in join_questions()}, "a question that nobody is asked"


def test_every_link_leads_somewhere_and_nothing_is_fetched(site: Path) -> None:
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    for name, text in pages.items():
        assert not re.search(r"""(?:src=|https?://|@import|url\()""", text.split("<script>")[0]), name
        for link in re.findall(r'href="([^"]+)"', text):
            path, _, anchor = unescape(link).partition("#")
            target = (site / name).parent.joinpath(path).resolve().relative_to(site).as_posix() if path else name
            assert target in pages, (name, link)
            assert not anchor or anchor in ids[target], (name, link)


def test_the_search_finds_a_column_by_its_chinese_heading(site: Path, tmp_path: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    typed = "box.value = '养老金 金额'; box.dispatchEvent(new Event('input'));</script>"
    trial = site / "trial.html"
    trial.write_text(page.replace("</script>", typed), encoding="utf-8")
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    result = subprocess.run([*command, trial.as_uri()], capture_output=True, text=True, timeout=60, check=False)
    trial.unlink()
    results = result.stdout.split('id="results"')[1].split("</ol>")[0]
    assert "lake.pension_payment.html#amount" in results, results[:300]


def test_an_accessibility_check_of_a_page_finds_nothing(site: Path, tmp_path: Path) -> None:
    assert violations(site / "tables" / "identity.household_month.html", tmp_path, 390) == []
