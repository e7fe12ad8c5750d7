"""The SQL that is sent to a department's database.

Belongs here: quoting, and the texts of the few statements. Does not belong here: sending them (``database``).
Every value leaves the database as text in its own words, so that decimals stay exact and ID numbers never become
numbers on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ingestion.source.settings import TableSettings
from ingestion.statement import LOCAL_ZONE

Kind = Literal["text", "number", "time", "zoned_time", "truth"]
_ROWS = '"source_rows"'

# Sent one by one at the start of each transaction, which sees one state of the tables and can change nothing.
SESSION = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    f"SET LOCAL TIME ZONE '{LOCAL_ZONE}'",
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL extra_float_digits = 1",
)


def timeout(seconds: int) -> str:
    """No statement takes longer than that."""
    return f"SET LOCAL statement_timeout = {seconds * 1000}"


@dataclass(frozen=True)
class Relation:
    """A table, view or query with the kinds of its columns, in their order."""

    table: TableSettings
    kinds: dict[str, Kind]

    def extents(self) -> str:
        """Rows, rows without watermark and highest watermark (as text and as number), for each value of month."""
        month = self._month() if self.table.month else "NULL"
        text, number, missing = "NULL", "NULL", "0"
        if self.table.watermark:
            mark = identifier(self.table.watermark)
            text, number = self._text(self.table.watermark, f"max({mark})"), self._number(f"max({mark})")
            missing = f"count(*) - count({mark})"
        grouped = " GROUP BY 1" if self.table.month else ""
        columns = (
            f"{month} AS month, count(*)::text AS row_count, ({missing})::text AS missing, "
            f"{text} AS watermark, ({number})::float8 AS position"
        )
        return f"SELECT {columns} FROM {relation(self.table)}{grouped}"

    def rows(self, columns: Sequence[str], order: Sequence[str], months: Sequence[str] | None) -> str:
        """Those columns as text of the rows of those values of month (None: all rows), oldest watermark first."""
        cells = ", ".join(f"{self._text(name, identifier(name))} AS {identifier(name)}" for name in columns)
        where = f" WHERE {self._month()} IN ({', '.join(map(literal, months))})" if months is not None else ""
        mark = [f"{identifier(self.table.watermark)} NULLS FIRST"] if self.table.watermark else []
        keys = [f'{self._text(name, identifier(name))} COLLATE "C"' for name in order]
        return f"SELECT {cells} FROM {relation(self.table)}{where} ORDER BY {', '.join([*mark, *keys])}"

    def _month(self) -> str:
        column = identifier(str(self.table.month))
        if self.kinds[str(self.table.month)] in ("time", "zoned_time"):
            return f"to_char({column}, 'YYYY-MM')"
        return f"CAST({column} AS text)"

    def _text(self, name: str, expression: str) -> str:
        kind = self.kinds[name]
        if kind == "truth":
            return f"CASE WHEN {expression} THEN '1' WHEN NOT {expression} THEN '0' END"
        if kind == "zoned_time":
            return f"CAST(CAST({expression} AS timestamp) AS text)"
        return f"CAST({expression} AS text)"

    def _number(self, expression: str) -> str:
        kind = self.kinds[str(self.table.watermark)]
        if kind == "zoned_time":
            return f"extract(epoch FROM {expression})"
        if kind == "time":
            return f"extract(epoch FROM CAST({expression} AS timestamp) AT TIME ZONE '{LOCAL_ZONE}')"
        return expression if kind == "number" else "NULL"


def columns_of(table: TableSettings) -> str:
    """No rows, only the columns."""
    return f"SELECT * FROM {relation(table)} LIMIT 0"


def relation(table: TableSettings) -> str:
    """What stands after FROM."""
    if table.query is not None:
        return f"({table.query.strip().rstrip(';')}\n) AS {_ROWS}"
    return f"{'.'.join(identifier(part) for part in str(table.table).split('.'))} AS {_ROWS}"


def identifier(name: str) -> str:
    """A name as SQL takes it literally."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it literally."""
    return "'" + text.replace("'", "''") + "'"
