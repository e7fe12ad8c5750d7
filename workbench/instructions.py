"""The sheet that says how to fill in a list, and holds the choices of its drop-downs.

Belongs here: that sheet. Does not belong here: the texts (``models/labels/workbench.yaml``).
"""

from __future__ import annotations

from typing import Any

from models.codes import load_code_tables
from models.labels import label
from models.policy import load_parameters
from models.policy.catalogue import LEVELS
from models.policy.parameters import NATION
from workbench.sheets import Book, row_height

_STEPS = 6
_LINE_HEIGHT = 22
# Row (from 0) of the first outcome: below the heading, the steps, an empty row and the headings of the table.
_FIRST_CHOICE = _STEPS + 3


def _choice_rows() -> dict[str, tuple[int, int]]:
    """First and last row (from 0) of the choices of each table on the sheet."""
    tables = load_code_tables()
    outcomes = len(tables["outcome"].labels)
    first_programme = _FIRST_CHOICE + outcomes + 2
    return {
        "outcome": (_FIRST_CHOICE, _FIRST_CHOICE + outcomes - 1),
        "programme": (first_programme, first_programme + len(tables["programme"].labels) - 1),
    }


CHOICE_ROWS = _choice_rows()


def choice_text(table: str, code: str, lang: str) -> str:
    """How a choice reads in the drop-down: its number and its label."""
    text = load_code_tables()[table].labels[code]
    return f"{code} {text.zh if lang == 'zh' else text.en}"


def write_instructions(book: Book, lang: str) -> None:
    """Steps, the outcomes with when to choose them, the programmes, and the days that each level leaves."""
    sheet = book.sheet(label("sheet.instructions", lang))
    sheet.set_column(0, 0, 6)
    sheet.set_column(1, 1, 34)
    sheet.set_column(2, 2, 70)
    sheet.write_string(0, 0, label("instruction.heading", lang), book.style("heading"))
    for step in range(1, _STEPS + 1):
        text = label(f"instruction.{step}", lang)
        sheet.write_number(step, 0, step, book.style("number"))
        sheet.merge_range(step, 1, step, 2, text, book.style("text"))
        sheet.set_row(step, row_height([(text, 104)], 24))
    _write_choices(book, sheet, "outcome", lang)
    _write_choices(book, sheet, "programme", lang)
    _write_levels(book, sheet, CHOICE_ROWS["programme"][1] + 3, lang)
    sheet.set_portrait()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_choices(book: Book, sheet: Any, table: str, lang: str) -> None:
    first, _ = CHOICE_ROWS[table]
    for column, key in enumerate(("code", f"{table}_choice", "meaning")):
        sheet.write_string(first - 1, column, label(f"column.{key}", lang), book.style("header"))
    for offset, code in enumerate(load_code_tables()[table].labels):
        meaning = label(f"{table}_meaning.{code}", lang)
        sheet.set_row(first + offset, _LINE_HEIGHT)
        sheet.write_string(first + offset, 0, code, book.style("number"))
        sheet.write_string(first + offset, 1, choice_text(table, code, lang), book.style("text"))
        sheet.write_string(first + offset, 2, meaning, book.style("text"))


def _write_levels(book: Book, sheet: Any, top: int, lang: str) -> None:
    days = {row.key: row.value for row in load_parameters()["answer_working_days"].rows if row.region == NATION}
    sheet.write_string(top - 1, 1, label("column.level", lang), book.style("header"))
    sheet.write_string(top - 1, 2, label("column.days", lang), book.style("header"))
    for offset, level in enumerate(LEVELS):
        sheet.set_row(top + offset, _LINE_HEIGHT)
        sheet.write_string(top + offset, 1, label(f"level.{level}", lang), book.style(f"level_{level}"))
        sheet.write_string(top + offset, 2, str(days[level]), book.style("number"))
