"""Which checks there are: read from ``models/quality/catalogue.yaml`` and resolved from the contracts of the feeds.

Belongs here: turning the catalogue and the contracts into ``Check`` objects with stable ids. Does not belong here:
running them, and any threshold (those are in the YAML, each with its reason).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from expectations.check import Check
from models.contract import Column, Feed, LakeField
from models.quality import (
    CATALOGUE_FILE,
    CatalogueError,
    ContradictionCheck,
    catalogue_document,
    load_contradiction_checks,
)
from models.quality.vocabulary import CLASSES, DIMENSIONS, CheckClass, Dimension

CIVIL_AFFAIRS = "civil_affairs"
CONTRADICTION = "contradiction"

# What a hand-written entry may say; anything else is a slip of the pen.
ENTRY_KEYS = {
    *("id", "kind", "feed", "feeds", "table", "columns", "dimension", "class", "threshold", "title", "reason"),
    *("where", "hold_above", "hold_min_rows", "owner"),
    *("rule", "group", "group_sum", "other", "keys", "other_where", "same_month", "contradiction", "values"),
    *("minimum", "maximum", "equal_to"),
}
OPTION_KEYS = (
    *("rule", "group", "group_sum", "other", "keys", "other_where", "same_month", "contradiction", "values"),
    *("minimum", "maximum", "equal_to"),
)


# Settings of a kind that its checks carry along.
KIND_OPTIONS = ("min_rows", "hold_factor", "backlog_months")


@dataclass(frozen=True)
class Catalogue:
    """The catalogue as written: kinds, settings of the checks over time, hand-written checks."""

    kinds: Mapping[str, Mapping[str, Any]]
    over_time: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    tables: tuple[Mapping[str, Any], ...]
    text: str


@cache
def load_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Read the catalogue; raises ``CatalogueError`` naming the entry that is not usable."""
    document = catalogue_document(path)
    for entry in (*document["checks"], *document["tables"]):
        if unknown := set(entry) - ENTRY_KEYS:
            raise CatalogueError(f"{entry.get('id')}: unknown {', '.join(sorted(unknown))}")
        if entry.get("kind") not in document["kinds"]:
            raise CatalogueError(f"{entry.get('id')}: unknown kind {entry.get('kind')}")
    return Catalogue(
        kinds=document["kinds"],
        over_time=document["over_time"],
        checks=tuple(document["checks"]),
        tables=tuple(document["tables"]),
        text=path.read_text(encoding="utf-8"),
    )


def resolve_feed_checks(feeds: Mapping[str, Feed], catalogue: Catalogue | None = None) -> tuple[Check, ...]:
    """Every check of every feed: those that its contract yields, then those written by hand; ids are unique."""
    catalogue = catalogue or load_catalogue()
    checks = [
        *(check for feed in feeds.values() for check in _contract_checks(feed, catalogue)),
        *(check for entry in catalogue.checks for check in _written_checks(entry, feeds, catalogue)),
    ]
    _require_unique(checks)
    return tuple(checks)


def resolve_table_checks(catalogue: Catalogue | None = None) -> tuple[Check, ...]:
    """The checks of the published tables."""
    catalogue = catalogue or load_catalogue()
    checks = [
        replace(_written_check(entry, entry["table"], CIVIL_AFFAIRS, catalogue), whole_table=True)
        for entry in catalogue.tables
    ]
    _require_unique(checks)
    return tuple(checks)


def resolve_contradiction_checks() -> tuple[Check, ...]:
    """What departments say against each other as checks; the warehouse counts them (quality.check_result)."""
    return tuple(_contradiction_check(check) for check in load_contradiction_checks())


def _contradiction_check(check: ContradictionCheck) -> Check:
    return Check(
        check_id=check.check_id,
        kind=CONTRADICTION,
        subject=check.feed,
        columns=(),
        dimension=cast(Dimension, _one_of(check.check_id, check.dimension, DIMENSIONS)),
        check_class=cast(CheckClass, _one_of(check.check_id, check.check_class, CLASSES)),
        threshold=check.threshold,
        owner=check.owner,
        title_zh=check.title_zh,
        title_en=check.title_en,
        reason_zh=check.reason_zh,
        reason_en=check.reason_en,
        options={"other": check.against},
    )


def _require_unique(checks: list[Check]) -> None:
    ids = [check.check_id for check in checks]
    if twice := {check_id for check_id in ids if ids.count(check_id) > 1}:
        raise CatalogueError(f"check ids are not unique: {', '.join(sorted(twice))}")


def _contract_checks(feed: Feed, catalogue: Catalogue) -> Iterator[Check]:
    for kind, settings in catalogue.kinds.items():
        if selector := SELECTORS.get(settings.get("per", "")):
            for columns, options in selector(feed):
                yield _contract_check(feed, kind, settings, columns, options)


def _contract_check(
    feed: Feed, kind: str, settings: Mapping[str, Any], columns: tuple[LakeField, ...], options: dict[str, Any]
) -> Check:
    sources = dict.fromkeys(field.source for field in columns)
    headers = "、".join(feed.column(source).header for source in sources)
    names = ", ".join(field.name for field in columns)
    check_id = ".".join((feed.name, kind, "+".join(field.name for field in columns))).rstrip(".")
    return Check(
        check_id=check_id,
        kind=kind,
        subject=feed.name,
        columns=tuple(field.name for field in columns),
        dimension=cast(Dimension, _one_of(check_id, settings["dimension"], DIMENSIONS)),
        check_class=cast(CheckClass, _one_of(check_id, settings["class"], CLASSES)),
        threshold=float(settings["threshold"]),
        owner=feed.department,
        title_zh=settings["title"]["zh"].format(column_zh=headers),
        title_en=settings["title"]["en"].format(column=names),
        reason_zh=settings["reason"]["zh"],
        reason_en=settings["reason"]["en"],
        hold_above=settings.get("hold_above"),
        hold_min_rows=int(settings.get("min_rows", 1)),
        options={**options, **{key: settings[key] for key in KIND_OPTIONS if key in settings}},
    )


def _written_checks(entry: Mapping[str, Any], feeds: Mapping[str, Feed], catalogue: Catalogue) -> Iterator[Check]:
    """One check, or one for each of ``feeds``; a feed that this city does not have is passed over."""
    subjects = entry.get("feeds") or {entry["feed"]: entry.get("where")}
    for name, value in subjects.items():
        if name in feeds:
            yield _feed_check(entry, feeds[name], value, catalogue)


def _feed_check(entry: Mapping[str, Any], feed: Feed, value: str | None, catalogue: Catalogue) -> Check:
    detail = dict(entry)
    other_where = entry.get("other_where")
    if isinstance(other_where, dict):
        detail["other_where"] = other_where.get(feed.name)
    if entry.get("other") == "same":
        detail["other"] = feed.name
    if entry["kind"] == "in_period":
        detail["columns"] = [value]
        header = feed.column(str(value)).header
        detail["title"] = {key: text.format(column=value, column_zh=header) for key, text in entry["title"].items()}
    else:
        detail["where"] = value
    return _written_check(detail, feed.name, feed.department, catalogue)


def _written_check(entry: Mapping[str, Any], subject: str, owner: str, catalogue: Catalogue) -> Check:
    kind = catalogue.kinds[entry["kind"]]
    check_id = f"{subject}.{entry['id']}"
    for part in ("title", "reason"):
        if not {"zh", "en"} <= set(entry.get(part, {})):
            raise CatalogueError(f"{check_id}: {part} must be given in zh and en")
    return Check(
        check_id=check_id,
        kind=entry["kind"],
        subject=subject,
        columns=tuple(entry.get("columns", ())) or tuple(entry.get("keys", {})),
        dimension=cast(Dimension, _one_of(check_id, entry.get("dimension", kind["dimension"]), DIMENSIONS)),
        check_class=cast(CheckClass, _one_of(check_id, entry.get("class", kind["class"]), CLASSES)),
        threshold=float(entry.get("threshold", kind.get("threshold", 0))),
        owner=entry.get("owner", owner),
        title_zh=entry["title"]["zh"],
        title_en=entry["title"]["en"],
        reason_zh=entry["reason"]["zh"],
        reason_en=entry["reason"]["en"],
        where=entry.get("where"),
        hold_above=entry.get("hold_above"),
        hold_min_rows=int(entry.get("hold_min_rows", 1)),
        options={key: entry[key] for key in OPTION_KEYS if entry.get(key) is not None},
    )


def _one_of(check_id: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise CatalogueError(f"{check_id}: {value!r} is none of {', '.join(allowed)}")
    return value


# --- which columns a kind is for -----------------------------------------------------------------------------------

Selection = Iterator[tuple[tuple[LakeField, ...], dict[str, Any]]]


def _fields(feed: Feed, wanted: Callable[[Column], bool]) -> Iterator[tuple[LakeField, Column]]:
    for field in feed.lake_fields:
        column = feed.column(field.source)
        if wanted(column):
            yield field, column


def _any(_: Column) -> bool:
    return True


def _required(feed: Feed) -> Selection:
    yield from (((field,), {}) for field, _ in _fields(feed, lambda column: column.required))


def _optional(feed: Feed) -> Selection:
    yield from (((field,), {}) for field, _ in _fields(feed, lambda column: not column.required))


def _key(feed: Feed) -> Selection:
    fields = [field for field, _ in _fields(feed, lambda column: column.key)]
    # A certificate leaves three columns in the lake; its pseudonym alone is the key.
    names = {field.source: field for field in reversed(fields)}
    yield tuple(field for field in fields if names[field.source] is field), {}


def _person(feed: Feed) -> Selection:
    """Columns of persons that must differ from row to row. Where one is the whole key, ``unique`` sees to it."""
    sole_key = feed.key_columns[0] if len(feed.key_columns) == 1 else None
    for field, _ in _fields(feed, lambda column: column.type == "id" and column.required and column is not sole_key):
        yield (field,), {}


def _code(feed: Feed) -> Selection:
    for field, column in _fields(feed, lambda column: column.type == "code"):
        yield (field,), {"code_table": column.code_table}


def _limited(feed: Feed) -> Selection:
    for field, column in _fields(feed, _any):
        limits = {
            "minimum": column.minimum if column.minimum is not None else column.exclusive_minimum,
            "maximum": column.maximum,
            "exclusive": column.exclusive_minimum is not None,
        }
        if limits["minimum"] is not None or limits["maximum"] is not None:
            yield (field,), limits


FORMS = {"division": r"^(?:\d{6}|\d{9}|\d{12})$", "uscc": r"^[0-9A-Z]{18}$"}


def _formed(feed: Feed) -> Selection:
    for field, column in _fields(feed, lambda column: column.type in FORMS):
        yield (field,), {"pattern": FORMS[column.type]}


def _date(feed: Feed) -> Selection:
    wanted = _fields(feed, lambda column: column.type == "date" and not column.may_lie_in_future)
    yield from (((field,), {}) for field, _ in wanted)


def _money(feed: Feed) -> Selection:
    yield from (((field,), {}) for field, _ in _fields(feed, lambda column: column.type in ("money", "wan")))


def _feed(_: Feed) -> Selection:
    yield (), {}


SELECTORS: dict[str, Callable[[Feed], Selection]] = {
    "required_column": _required,
    "optional_column": _optional,
    "key": _key,
    "person_column": _person,
    "code_column": _code,
    "limited_column": _limited,
    "formed_column": _formed,
    "date_column": _date,
    "money_column": _money,
    "feed": _feed,
}
