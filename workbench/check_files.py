"""The files of a batch of means checks: JSON for systems, a workbook for officers, reports on paper.

Belongs here: file names, and what goes into which. Does not belong here: what stands in them; who may have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from workbench.check_answers import as_json
from workbench.check_pages import report_of
from workbench.check_words import Answer, month_word, word
from workbench.check_workbook import write_workbook
from workbench.pdf import PageWords, PdfRoom, write_private

# What a number of a request may hold that a file name should not.
_ODD = re.compile(r"[^\w.-]+")


def write_batch(folder: Path, frame: pl.DataFrame, answers: Sequence[Answer], month: date, lang: str) -> list[Path]:
    """The workbook and the JSON document, of the same answers as a frame and as rows; returns their paths."""
    stem = f"{month:%Y%m}"
    workbook = folder / f"{word('file.workbook', lang, month=stem)}.xlsx"
    document = folder / f"{word('file.answers', lang, month=stem)}.json"
    write_workbook(workbook, answers, month, lang)
    write_private(document, as_json(frame, month))
    return [workbook, document]


def write_reports(
    folder: Path, answers: Sequence[Answer], month: date, windows: Mapping[str, int], lang: str
) -> list[Path]:
    """One document a request, refusals too: they go back to whoever asked."""
    room, paths = PdfRoom(_words(lang)), []
    for answer in answers:
        number = _ODD.sub("_", answer["request_no"])
        path = folder / f"{word('file.report', lang, month=f'{month:%Y%m}', request_no=number)}.pdf"
        room.write(path, [report_of(answer, month, windows, lang)], word("title", lang), month)
        paths.append(path)
    return paths


def write_bound(
    folder: Path, answers: Sequence[Answer], month: date, windows: Mapping[str, int], lang: str
) -> list[Path]:
    """All of them as one document, each beginning on a page of its own."""
    path = folder / f"{word('file.bound', lang, month=f'{month:%Y%m}')}.pdf"
    title = word("bound_title", lang, month=month_word(month, lang))
    reports = [report_of(answer, month, windows, lang) for answer in answers]
    PdfRoom(_words(lang)).write(path, reports, title, month)
    return [path]


def _words(lang: str) -> PageWords:
    words: dict[str, Any] = {"page": word("page", lang), "language": lang}
    return PageWords(**words)
