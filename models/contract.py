"""The contracts of the feeds, read from Open Data Contract Standard YAML into typed objects.

Belongs here: what a delivery of a department looks like (columns, types, keys, limits, cadence) and what
ingestion leaves of it in the lake. Does not belong here: how files are read (``ingestion``), what good data
means beyond a single row (``expectations``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from models.documents import read_document

FEED_DIRECTORY = Path(__file__).parent / "feeds"

ColumnType = Literal[
    "id",
    "uscc",
    "division",
    "name",
    "phone",
    "address",
    "date",
    "month",
    "money",
    "wan",
    "int",
    "decimal",
    "text",
    "code",
]
Classification = Literal["direct_identifier", "sensitive", "internal", "public"]
Mode = Literal["snapshot", "events"]
LakeType = Literal["string", "date", "decimal", "float", "int"]

# Besides the aliases that a contract gives, these headers stand for the given one in every feed.
GENERAL_ALIASES = {"身份证号": ("公民身份号码", "证件号码"), "姓名": ("成员姓名",)}

# Where a contract is silent, a file is held or warned about by these shares (feeds.md, section 2).
DEFAULT_MAX_QUARANTINED_SHARE = 0.2
DEFAULT_MAX_VOLUME_CHANGE_SHARE = 0.5

LAKE_TYPES: dict[ColumnType, LakeType] = {
    "uscc": "string",
    "division": "string",
    "date": "date",
    "month": "date",
    "money": "decimal",
    "wan": "decimal",
    "int": "int",
    "decimal": "float",
    "text": "string",
    "code": "string",
}


class ContractError(ValueError):
    """A contract that cannot be used; says which file and what is wrong with it."""


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    ``minimum`` and ``maximum`` are in the unit of storage (yuan for ``wan``). ``carries_id_number`` marks a
    text that contains a citizen ID number (disability certificates) and is therefore a direct identifier.
    """

    name: str
    header: str
    aliases: tuple[str, ...]
    type: ColumnType
    code_table: str | None
    required: bool
    key: bool
    classification: Classification
    description: str
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    may_lie_in_future: bool = False
    carries_id_number: bool = False

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header under which the column may come, its own first, its English name last."""
        general = GENERAL_ALIASES.get(self.header, ())
        return tuple(dict.fromkeys((self.header, *self.aliases, *general, self.name)))

    @property
    def is_direct_identifier(self) -> bool:
        return self.classification == "direct_identifier"


@dataclass(frozen=True)
class LakeField:
    """One column of accepted rows in the lake and the column of the feed that it comes from."""

    name: str
    type: LakeType
    source: str


@dataclass(frozen=True)
class Feed:
    """One feed: what a department delivers, how often and in which mode."""

    name: str
    title_zh: str
    title_en: str
    department: str
    mode: Mode
    grain: str
    version: str
    frequency: Literal["monthly", "quarterly"]
    due_day: int
    columns: tuple[Column, ...]
    division_column: str | None
    max_quarantined_share: float
    max_volume_change_share: float
    senders: tuple[str, ...] = ()
    """Who else than the department delivers it; what they send stands beside the department's, not in its place."""

    @property
    def key_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.key)

    def column(self, name: str) -> Column:
        """The column of that English name; ``KeyError`` where the feed has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def lake_fields(self) -> tuple[LakeField, ...]:
        """Columns of the accepted rows, without ``delivery_id``, ``row_number`` and ``period`` that all feeds have.

        Person columns become keyed pseudonyms (``id_number`` -> ``person_key``, ``guardian_id`` ->
        ``guardian_key``); names, phones and addresses leave nothing.
        """
        return tuple(field for column in self.columns for field in _lake_fields_of(column))


def person_key_name(id_column: str) -> str:
    """Name of the pseudonym column that stands in the lake for a column of ID numbers."""
    return "person_key" if id_column == "id_number" else id_column.removesuffix("_id") + "_key"


def _lake_fields_of(column: Column) -> tuple[LakeField, ...]:
    if column.type == "id":
        return (LakeField(person_key_name(column.name), "string", column.name),)
    if column.carries_id_number:
        stem = column.name.removesuffix("_no")
        names = (f"{stem}_key", f"{stem}_category", f"{stem}_grade")
        return tuple(LakeField(name, "string", column.name) for name in names)
    if column.is_direct_identifier:
        return ()
    return (LakeField(column.name, LAKE_TYPES[column.type], column.name),)


def read_feed(path: Path) -> Feed:
    """Read one contract; raises ``ContractError`` naming the file where it is not usable."""
    try:
        document = OpenDataContractStandard(**read_document(path.read_text(encoding="utf-8")))
        return _feed_of(document)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ContractError(f"{path.name}: {error}") from error


@cache
def load_feeds(directory: Path = FEED_DIRECTORY) -> dict[str, Feed]:
    """All feeds by name, in order of name. A feed is added by adding a YAML file there."""
    feeds = [read_feed(path) for path in sorted(directory.glob("*.yaml"))]
    return {feed.name: feed for feed in feeds}


def _feed_of(document: OpenDataContractStandard) -> Feed:
    (table,) = document.schema_ or []
    custom = _custom(document.customProperties)
    service = {item.property: item.value for item in document.slaProperties or []}
    return Feed(
        name=_text(document.id),
        title_zh=_text(table.businessName),
        title_en=_text(document.name),
        department=str(custom["department"]),
        mode=cast(Mode, _one_of(custom["mode"], "snapshot", "events")),
        grain=_text(table.dataGranularityDescription),
        version=_text(document.version),
        frequency=cast(Literal["monthly", "quarterly"], _one_of(service["frequency"], "monthly", "quarterly")),
        due_day=int(str(service["dueDay"])),
        columns=tuple(_column_of(item) for item in table.properties or []),
        division_column=cast("str | None", custom.get("divisionColumn")),
        max_quarantined_share=float(custom.get("maxQuarantinedShare", DEFAULT_MAX_QUARANTINED_SHARE)),
        max_volume_change_share=float(custom.get("maxVolumeChangeShare", DEFAULT_MAX_VOLUME_CHANGE_SHARE)),
        senders=tuple(str(custom.get("senders", "")).split()),
    )


def _column_of(item: SchemaProperty) -> Column:
    kind, _, code_table = _text(item.physicalType).partition(":")
    custom = _custom(item.customProperties)
    limits = item.logicalTypeOptions or {}
    return Column(
        name=_text(item.name),
        header=_text(item.businessName),
        aliases=tuple(_text(synonym.synonym) for synonym in item.synonyms or []),
        type=cast(ColumnType, _one_of(kind, *LAKE_TYPES, "id", "name", "phone", "address")),
        code_table=code_table or None,
        required=bool(item.required),
        key=bool(item.primaryKey),
        classification=cast(
            Classification, _one_of(item.classification, "direct_identifier", "sensitive", "internal", "public")
        ),
        description=item.description or "",
        minimum=limits.get("minimum"),
        exclusive_minimum=limits.get("exclusiveMinimum"),
        maximum=limits.get("maximum"),
        may_lie_in_future=bool(custom.get("mayLieInFuture", False)),
        carries_id_number=bool(custom.get("carriesIdNumber", False)),
    )


def _custom(items: Any) -> dict[str, Any]:
    return {item.property: item.value for item in items or []}


def _text(value: str | None) -> str:
    if not value:
        raise ValueError("a name, title or type is missing")
    return value


def _one_of(value: Any, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)
