"""The contracts of the feeds: that each can be used, and that no header could mean two columns."""

import shutil
from pathlib import Path

import pytest

from models.codes import load_code_tables
from models.contract import FEED_DIRECTORY, LAKE_TYPES, ContractError, Feed, load_feeds, read_feed

FEEDS = load_feeds()


def plain(header: str) -> str:
    """A header as ingestion compares it: no blanks, brackets of one width, one case."""
    return "".join(header.split()).replace("（", "(").replace("）", ")").lower()


def test_all_feeds_are_there() -> None:
    assert len(FEEDS) == 27


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_feed_is_complete(feed: Feed) -> None:
    assert feed.key_columns, "a feed has a key"
    assert all(column.required for column in feed.key_columns), "a key is never empty"
    assert all(column.description for column in feed.columns)
    assert feed.division_column is None or feed.column(feed.division_column).type == "division"


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_no_header_claims_two_columns(feed: Feed) -> None:
    owner: dict[str, str] = {}
    for column in feed.columns:
        for header in column.headers:
            assert owner.setdefault(plain(header), column.name) == column.name


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_every_code_table_exists(feed: Feed) -> None:
    tables = {column.code_table for column in feed.columns if column.type == "code"}
    assert None not in tables
    assert tables <= set(load_code_tables())


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_direct_identifiers_leave_no_lake_column(feed: Feed) -> None:
    fields = {field.name for field in feed.lake_fields}
    for column in feed.columns:
        if column.type in ("id", "name", "phone", "address"):
            assert column.is_direct_identifier
        if column.is_direct_identifier:
            assert column.name not in fields
    assert all(field.type in LAKE_TYPES.values() for field in feed.lake_fields)


def test_a_new_feed_is_a_new_file(tmp_path: Path) -> None:
    shutil.copytree(FEED_DIRECTORY, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "price_index.yaml").read_text(encoding="utf-8").replace("price_index", "rent_index")
    (tmp_path / "rent_index.yaml").write_text(text, encoding="utf-8")
    assert set(load_feeds(tmp_path)) == {*FEEDS, "rent_index"}


def test_a_broken_contract_names_its_file(tmp_path: Path) -> None:
    text = (FEED_DIRECTORY / "price_index.yaml").read_text(encoding="utf-8")
    path = tmp_path / "price_index.yaml"
    path.write_text(text.replace("physicalType: month", "physicalType: moon"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"price_index\.yaml.*moon"):
        read_feed(path)
