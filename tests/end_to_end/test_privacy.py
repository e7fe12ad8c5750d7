"""After a run, nobody can be recognised outside of inbox, vault, quarantine and the lists made for their readers.

Every file that the run of the sample city leaves behind is read to its last cell (Parquet, SQLite, the warehouse,
workbooks, text) and searched for the ID numbers, names and phones that the city's people really have.
"""

import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from orchestration.settings import DataHome
from orchestration.stores import vault_of

# Where identities may be: encrypted, or made for its reader. The keys are no personal data, but no artefact either.
PRIVATE = {"vault", "quarantine", "secrets", "inbox"}
LISTS = "lists"
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


def parquet_texts(path: Path) -> Iterator[str]:
    frame = pl.read_parquet(path, hive_partitioning=False)
    for name, kind in frame.schema.items():
        if kind == pl.String or kind.is_nested():
            yield from (str(value) for value in frame[name].drop_nulls().to_list())


def sqlite_texts(path: Path) -> Iterator[str]:
    connection = sqlite3.connect(path)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
        for row in connection.execute(f'select * from "{table}"'):
            yield from (str(value) for value in row if isinstance(value, str | bytes))
    connection.close()


def warehouse_texts(path: Path) -> Iterator[str]:
    connection = duckdb.connect(str(path), read_only=True)
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not internal and not temporary"
    ).fetchall()
    assert tables
    for schema, table in tables:
        for row in connection.execute(f'select * from "{schema}"."{table}"').fetchall():
            yield from (str(value) for value in row if isinstance(value, str | list))
    connection.close()


def zipped_texts(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield archive.read(name).decode("utf-8", "replace")


def plain_texts(path: Path) -> Iterator[str]:
    yield path.read_bytes().decode("utf-8", "replace")


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".parquet": parquet_texts,
    ".db": sqlite_texts,
    ".duckdb": warehouse_texts,
    ".xlsx": zipped_texts,
    ".skops": zipped_texts,
}


def artefacts(home: DataHome) -> Iterator[Path]:
    for path in sorted(home.root.rglob("*")):
        parts = path.relative_to(home.root).parts
        if path.is_file() and not path.is_symlink() and parts[0] not in PRIVATE and LISTS not in parts:
            yield path


def test_nothing_outside_the_vault_names_anybody(sample_home: DataHome, secrets: dict[str, frozenset[str]]) -> None:
    found: dict[str, set[str]] = {}
    count = 0
    for path in artefacts(sample_home):
        count += 1
        kinds = exposed(READERS.get(path.suffix, plain_texts)(path), secrets)
        if kinds:
            found[str(path.relative_to(sample_home.root))] = kinds
    assert count > 500
    assert found == {}


def test_the_scan_sees_what_it_looks_for(secrets: dict[str, frozenset[str]], tmp_path: Path) -> None:
    values = {kind: sorted(found)[0] for kind, found in secrets.items()}
    pl.DataFrame({"cell": [f"x {value}，" for value in values.values()]}).write_parquet(tmp_path / "leak.parquet")
    assert exposed(parquet_texts(tmp_path / "leak.parquet"), secrets) == set(values)


def test_vault_and_quarantine_cannot_be_read_without_the_key(
    sample_home: DataHome, secrets: dict[str, frozenset[str]]
) -> None:
    files = [path for folder in (sample_home.vault, sample_home.quarantine) for path in folder.rglob("*.parquet")]
    assert len(files) > 100
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
