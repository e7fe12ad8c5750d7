"""Made-up alerts, hits and identities for the workbench, and the filling in of a list. Nobody in them exists."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from workbench.lists import FIRST_ROW, HEADER_ROW, Beside, write_township_lists

MONTH = date(2024, 3, 1)
LISTED_ON = date(2024, 4, 8)
PHOENIX, GULOU = "420704001", "420704002"

_ALERT = {
    "alert_id": pl.String,
    "month": pl.Date,
    "side": pl.String,
    "level": pl.String,
    "household_id": pl.String,
    "reasons": pl.List(pl.String),
    "due_on": pl.Date,
    "township_code": pl.String,
    "village_code": pl.String,
    "person_key": pl.String,
    "reference_person_key": pl.String,
    "register_layer": pl.String,
}
# number, side, level, reasons, person, layer, township
_CASES = (
    ("a", "need", "red", ["N10", "N01", "N08"], "pb", "none", PHOENIX),
    ("b", "need", "orange", ["N19"], "pc", "dibao", PHOENIX),
    ("c", "exit", "red", ["X01"], "pd", "dibao", PHOENIX),
    ("d", "exit", "yellow", ["X08", "X09"], "pa", "dibao", PHOENIX),
    ("e", "need", "yellow", ["N05"], "pe", "marginal", PHOENIX),
    ("f", "need", "blue", ["N30"], None, "none", PHOENIX),
    ("g", "need", "red", ["N21"], "pe", "none", GULOU),
    ("h", "need", "orange", ["N15"], "pa", "none", "999999001"),
)
_HITS = (
    ("a", "N10", "pb", None, None),
    ("a", "N01", "pb", 23456.5, 15000),
    ("a", "N08", None, 0.835, 0.5),
    ("b", "N19", "pc", None, None),
    ("b", "N19", "pd", None, None),
    ("c", "X01", "pd", None, None),
    ("e", "N05", "pe", 0.72, 0.6),
    ("g", "N21", "pe", 1.5, 3),
)


def alerts() -> pl.DataFrame:
    rows = [
        (
            f"alert{letter}xyz",
            MONTH,
            side,
            level,
            f"house{letter}",
            reasons,
            date(2024, 4, 11),
            township,
            township + "002",
            person,
            "pa",
            layer,
        )
        for letter, side, level, reasons, person, layer, township in _CASES
    ]
    return pl.DataFrame(rows, schema=_ALERT, orient="row")


def hits() -> pl.DataFrame:
    rows = [
        (MONTH, f"house{letter}", indicator, person, value, Decimal(str(line)) if line else None)
        for letter, indicator, person, value, line in _HITS
    ]
    schema = {
        "month": pl.Date,
        "household_id": pl.String,
        "indicator": pl.String,
        "person_key": pl.String,
        "value": pl.Float64,
        "threshold": pl.Decimal(14, 2),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def identities() -> pl.DataFrame:
    rows = [
        ("pa", "欧阳建国", "420704196003150019", "13800001234", "凤凰街道滨湖路12号3栋2单元501室"),
        ("pb", "李秀英", "42070419650801002X", "13900005678", "凤凰街道滨湖路12号"),
        ("pc", "王芳", "420704199012120046", None, None),
        ("pd", "张伟", "420704198807070038", "07113861234", "凤凰街道古城路8号"),
    ]
    names = ["person_key", "name", "id_number", "phone", "address"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


_CONDITION = pl.List(pl.Struct({"condition": pl.String, "value": pl.Decimal(18, 4), "line": pl.Decimal(18, 4)}))
# number, assistance, person, amount, conditions, what to verify, order
_ENTITLEMENTS = (
    ("a", "dibao", None, "1180", [("income_below_standard", "295", "590")], ["living_together", "income_untold"], 2),
    ("a", "temporary_assistance", None, None, [("sudden_hardship", None, None)], ["hardship_extent"], 12),
    ("b", "care_allowance", "pc", "100", [("severe_disability", "2", None)], ["account"], 7),
)


def entitlements() -> pl.DataFrame:
    rows = [
        {
            "alert_id": f"alert{letter}xyz",
            "month": MONTH,
            "assistance": assistance,
            "person_key": person,
            "amount_yuan": Decimal(amount) if amount else None,
            "conditions": [
                {"condition": word, "value": value and Decimal(value), "line": line and Decimal(line)}
                for word, value, line in conditions
            ],
            "to_verify": verify,
            "sort_order": order,
        }
        for letter, assistance, person, amount, conditions, verify, order in _ENTITLEMENTS
    ]
    schema = {"person_key": pl.String, "amount_yuan": pl.Decimal(14, 2), "conditions": _CONDITION}
    return pl.DataFrame(rows, schema_overrides=schema)


# event, number, months told and of the list, listed and answered, into which alert
_ENDED = (
    ("withdraw", "u", MONTH, True, False, None),
    ("merge", "v", MONTH, True, False, "alertaxyz"),
    ("lapse", "w", MONTH, False, False, None),
    ("lapse", "x", MONTH, True, True, None),
    ("withdraw", "y", date(2024, 2, 1), True, False, None),
    # The household is on the list of the month for another reason.
    ("lapse", "c", MONTH, True, False, None),
)


def ended() -> pl.DataFrame:
    rows = [
        {
            "alert_id": f"alert{letter}xyz",
            "household_id": f"house{letter}",
            "month": MONTH,
            "event": event,
            "told_month": told,
            "list_month": date(2024, 2, 1),
            "was_listed": listed,
            "is_answered": answered,
            "into_alert_id": into,
            "level": "red",
            "reasons": ["N10", "N01"],
            "reference_person_key": "pd",
            "township_code": PHOENIX,
            "village_code": f"{PHOENIX}002",
        }
        for event, letter, told, listed, answered, into in _ENDED
    ]
    return pl.DataFrame(rows)


def loads() -> pl.DataFrame:
    rows = [(MONTH, PHOENIX, f"{PHOENIX}002", 3), (MONTH, PHOENIX, None, 0), (date(2024, 2, 1), PHOENIX, None, 9)]
    names = {"month": pl.Date, "township_code": pl.String, "village_code": pl.String, "put_off_count": pl.Int32}
    return pl.DataFrame(rows, schema=names, orient="row")


def beside() -> Beside:
    return Beside(entitlements(), ended(), loads())


Fill = Callable[..., Path]


@pytest.fixture
def alert_frame() -> pl.DataFrame:
    return alerts()


@pytest.fixture
def hit_frame() -> pl.DataFrame:
    return hits()


@pytest.fixture
def identity_frame() -> pl.DataFrame:
    return identities()


@pytest.fixture
def beside_frames() -> Beside:
    return beside()


@pytest.fixture
def month() -> date:
    return MONTH


@pytest.fixture
def listed_on() -> date:
    return LISTED_ON


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The lists of the made-up month, with names; written once and only read, a test that fills one copies it."""
    folder = tmp_path_factory.mktemp("lists")
    return write_township_lists(
        alerts(), identities(), hits(), MONTH, folder, beside=beside(), listed_on=LISTED_ON, identified=True
    )


@pytest.fixture(scope="session")
def phoenix(lists: list[Path]) -> Path:
    """The list of the township that has six alerts."""
    return next(path for path in lists if PHOENIX in path.name)


@pytest.fixture
def fill() -> Fill:
    """Fill in a list as a person would: ``fill(path, {row number: {header: value}}, change=...)``."""

    def _fill(path: Path, cells: dict[int, dict[str, Any]], change: Callable[[Any], None] | None = None) -> Path:
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        places = {cell.value: cell.column for cell in sheet[HEADER_ROW + 1]}
        for number, row in cells.items():
            for header, value in row.items():
                sheet.cell(FIRST_ROW + number, places[header]).value = value
        if change:
            change(sheet)
        book.save(path)
        return path

    return _fill
