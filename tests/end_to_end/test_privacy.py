"""After a run, nobody can be recognised outside of inbox, landing, vault, quarantine and the lists for their readers.

Every file that the run of the sample city leaves behind is read to its last cell (Parquet, SQLite, the warehouse,
workbooks, text) and searched for the ID numbers, names and phones that the city's people really have. Once more
after a delivery from a source, a legal hold and a deletion, with reasons and file names that hold such numbers.
"""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
import typst
from pylopdf_fonts_zh_cn import sans_path
from pypdf import PdfReader

from orchestration.home.settings import DataHome
from orchestration.home.stores import vault_of
from tests.command import zhaoren

# Where identities may lie in clear. The keys are no personal data, but no artefact either.
PRIVATE = {"secrets", "inbox", "landing"}
# Where their Parquet is encrypted; what else lies there (certificates, manifests, ids of keys) is open.
ENCRYPTED = {"vault", "quarantine"}
LISTS = "lists"
# An ID number or phone may be kept as a number, too.
LEAST_NUMBER = 10**10
# What a run leaves behind besides tables, by its place in the home; if it moves, this scan must follow.
PLACES = (
    "reference/link_evidence.parquet",
    "reference/name_conflict.parquet",
    "reference/person_alias.parquet",
    "quarantine/_linkage/basis",
    "vault/keys.json",
    "dbt/basis/basis.json",
    "faults/row/*/*.parquet",
    "audit/anchor.ndjson",
    "archive/run/*/run.json",
    "lineage/openlineage.ndjson",
    "outputs/*/reports/*.html",
    "outputs/*/reports/*.pdf",
    "outputs/*/reports/*.xlsx",
    "registry/*/card.zh.md",
    "generations/*/basis/basis.json",
)
SHORTEST_NAME = 2


@pytest.fixture(scope="session")
def people(sample_home: DataHome) -> pl.DataFrame:
    keys = pl.read_parquet(sample_home.reference / "person_key.parquet")["person_key"].to_list()
    return vault_of(sample_home).identities(keys)


@pytest.fixture(scope="session")
def secrets(people: pl.DataFrame) -> dict[str, frozenset[str]]:
    """What must not be found, by kind; names only of those long enough to be somebody's."""
    found = {
        name: frozenset(value for value in people[name].drop_nulls() if len(value) >= SHORTEST_NAME)
        for name in ("id_number", "name", "phone")
    }
    assert all(len(values) > 100 for values in found.values()), "the scan must have something to look for"
    return found


ID_OR_PHONE = re.compile(r"(?<![0-9])(?:[1-9][0-9]{16}[0-9Xx]|1[3-9][0-9]{9})(?![0-9])")
WORD = re.compile(r"[\u3400-\u9fff·]{2,}")


def exposed(texts: Iterator[str], secrets: dict[str, frozenset[str]]) -> set[str]:
    """Kinds of secrets in the texts. Names count where they stand alone in a cell or a run of characters."""
    kinds: set[str] = set()
    for text in texts:
        for number in ID_OR_PHONE.findall(text):
            kinds |= {kind for kind in ("id_number", "phone") if number.upper() in secrets[kind]}
        if any(word in secrets["name"] for word in WORD.findall(text)):
            kinds.add("name")
    return kinds


def is_told(value: object) -> bool:
    """Whether a cell could hold somebody's number or name."""
    return isinstance(value, str | bytes | list | dict) or (isinstance(value, int) and value >= LEAST_NUMBER)


def parquet_texts(path: Path) -> Iterator[str]:
    frame = pl.read_parquet(path, hive_partitioning=False)
    for name, kind in frame.schema.items():
        if kind == pl.String or kind.is_nested():
            yield from (str(value) for value in frame[name].drop_nulls().to_list())
        elif kind.is_integer():
            yield from (str(value) for value in frame[name].drop_nulls().to_list() if value >= LEAST_NUMBER)


def sqlite_texts(path: Path) -> Iterator[str]:
    connection = sqlite3.connect(path)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
        for row in connection.execute(f'select * from "{table}"'):
            yield from (str(value) for value in row if is_told(value))
    connection.close()


def warehouse_texts(path: Path) -> Iterator[str]:
    connection = duckdb.connect(str(path), read_only=True)
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not internal and not temporary"
    ).fetchall()
    assert tables
    for schema, table in tables:
        for row in connection.execute(f'select * from "{schema}"."{table}"').fetchall():
            yield from (str(value) for value in row if is_told(value))
    connection.close()


def zipped_texts(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name).decode("utf-8", "replace")


def plain_texts(path: Path) -> Iterator[str]:
    yield path.read_bytes().decode("utf-8", "replace")


def pdf_texts(path: Path) -> Iterator[str]:
    reader = PdfReader(path)
    for page in reader.pages:
        yield page.extract_text().replace("\n", " ")
    yield from (str(value) for value in (reader.metadata or {}).values())


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".parquet": parquet_texts,
    ".db": sqlite_texts,
    ".duckdb": warehouse_texts,
    ".xlsx": zipped_texts,
    ".pdf": pdf_texts,
    ".skops": zipped_texts,
}


def artefacts(home: DataHome) -> Iterator[Path]:
    for path in sorted(home.root.rglob("*")):
        parts = path.relative_to(home.root).parts
        is_private = parts[0] in PRIVATE or LISTS in parts or (parts[0] in ENCRYPTED and path.suffix == ".parquet")
        if path.is_file() and not path.is_symlink() and not is_private:
            yield path


def scanned(home: DataHome, secrets: dict[str, frozenset[str]]) -> dict[Path, set[str]]:
    """What every artefact of a home exposes, by its place there."""
    return {
        path.relative_to(home.root): exposed(READERS.get(path.suffix, plain_texts)(path), secrets)
        for path in artefacts(home)
    }


def test_nothing_outside_the_vault_names_anybody(sample_home: DataHome, secrets: dict[str, frozenset[str]]) -> None:
    found = scanned(sample_home, secrets)
    assert len(found) > 500
    assert [place for place in PLACES if not any(path.match(place) for path in found)] == []
    assert {str(path): kinds for path, kinds in found.items() if kinds} == {}


def test_the_scan_sees_what_it_looks_for(secrets: dict[str, frozenset[str]], tmp_path: Path) -> None:
    values = {kind: sorted(found)[0] for kind, found in secrets.items()}
    pl.DataFrame({"cell": [f"x {value}，" for value in values.values()]}).write_parquet(tmp_path / "leak.parquet")
    assert exposed(parquet_texts(tmp_path / "leak.parquet"), secrets) == set(values)
    pl.DataFrame({"cell": [int(values["phone"])]}).write_parquet(tmp_path / "number.parquet")
    assert exposed(parquet_texts(tmp_path / "number.parquet"), secrets) == {"phone"}
    write_pdf(tmp_path / "leak.pdf", values["name"], values["id_number"])
    assert exposed(pdf_texts(tmp_path / "leak.pdf"), secrets) == {"name", "id_number"}


def write_pdf(path: Path, *words: str) -> None:
    """A page with these words, set as the reports are."""
    source = path.with_suffix(".typ")
    source.write_text("\n\n".join(words), encoding="utf-8")
    typst.compile(source, output=path, font_paths=[str(sans_path().parent)])


def test_a_page_that_explains_names_nobody(
    sample_home: DataHome, secrets: dict[str, frozenset[str]], tmp_path: Path
) -> None:
    alert = pl.read_parquet(sample_home.published / "alert.parquet").sort("month", "alert_id").row(-1, named=True)
    feed = pl.read_parquet(sample_home.reference / "delivery.parquet").filter(pl.col("feed") == "population_register")
    for number, arguments in enumerate(
        (["explain", alert["alert_id"]], ["explain", "--delivery", feed["delivery_id"][0]])
    ):
        out = tmp_path / f"{number}.html"
        assert zhaoren(sample_home.root, *arguments, "--out", str(out)).returncode == 0
        assert exposed(plain_texts(out), secrets) == set()


def test_vault_and_quarantine_cannot_be_read_without_the_key(
    sample_home: DataHome, secrets: dict[str, frozenset[str]]
) -> None:
    files = [path for folder in (sample_home.vault, sample_home.quarantine) for path in folder.rglob("*.parquet")]
    assert len(files) > 100
    assert {"index", "_linkage"} <= {part for path in files for part in path.parts}
    sample = "".join(secrets["id_number"])[:18].encode()
    for path in files:
        with pytest.raises(pl.exceptions.PolarsError):
            pl.read_parquet(path)
        assert sample not in path.read_bytes()


def test_what_the_command_said_names_nobody(
    sample_run: tuple[DataHome, object], secrets: dict[str, frozenset[str]]
) -> None:
    result = sample_run[1]
    assert exposed(iter([result.stdout, result.stderr]), secrets) == set()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def worked_on(
    sample_home: DataHome, people: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DataHome, list[subprocess.CompletedProcess[str]]]:
    """A copy of what ingestion keeps of the sample city after a source, a hold and a deletion; what was said."""
    folder = tmp_path_factory.mktemp("worked_on")
    left = shutil.ignore_patterns("dagster", "dbt", "generations", "published", "outputs", "warehouse.duckdb*")
    home = DataHome(shutil.copytree(sample_home.root, folder / "home", symlinks=True, ignore=left))
    numbers = people.drop_nulls(["id_number", "phone"]).row(0, named=True)
    why = f"asked for {numbers['id_number']}, call {numbers['phone']}"
    file = folder / "office" / "death_record" / f"{numbers['id_number']}_202401.csv"
    file.parent.mkdir(parents=True)
    file.write_text(f"{numbers['name']},{numbers['id_number']}\n", encoding="utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    described = f'[[source]]\nname = "office"\nkind = "directory"\npath = "{file.parent.parent}"\n'
    home.settings_file.write_text(described, encoding="utf-8")
    (folder / "nothing").mkdir()
    said = [
        zhaoren(home.root, "ingest", "--inbox", str(folder / "nothing")),
        zhaoren(home.root, "sources", "--look", "--json"),
        zhaoren(home.root, "vault", "hold", numbers["person_key"], "--reason", why),
        zhaoren(home.root, "vault", "purge", "--as-of", "2099-01-01", "--reason", why),
    ]
    return home, said


def test_sources_holds_and_deletion_name_nobody(
    worked_on: tuple[DataHome, list[subprocess.CompletedProcess[str]]], secrets: dict[str, frozenset[str]]
) -> None:
    home, said = worked_on
    assert [result.returncode for result in said] == [1, 0, 0, 0], said
    assert exposed((text for result in said for text in (result.stdout, result.stderr)), secrets) == set()
    found = scanned(home, secrets)
    places = {"sources.db", "ledger.db", "operations.db", "vault/certificate/0001/certificate.json"}
    assert places <= {str(path) for path in found}
    assert {str(path): kinds for path, kinds in found.items() if kinds} == {}
    landing = home.root / "landing"
    assert list(landing.glob("office/*/*")) == [], "the deletion took what waited there"
    for folder in (landing, landing / "office", landing / "office" / "death_record"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
