"""The card says what the record says: every figure of metrics.json that it prints, in both languages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ml import TrainingResult
from models.labels import label

Trained = tuple[TrainingResult, Path]
LANGUAGES = ("zh", "en")


FILES = {"zh": "card.zh.md", "en": "card.md"}


def read(trained: Trained, lang: str) -> tuple[dict[str, Any], str]:
    """The record of the registered version, and its card as it lies beside it."""
    folder = trained[0].directory
    stated = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return stated, (folder / FILES[lang]).read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_measured_figure_stands_in_its_row_and_column(trained: Trained, lang: str) -> None:
    stated, text = read(trained, lang)
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    table = {cells[0]: cells[1:] for cells in rows}
    words = {label(f"ml.metric.{name}", lang): name for name in stated["metrics"][stated["kind"]]}
    columns = [words[cell] for cell in table[label("ml.card.candidate", lang)]]
    assert sorted(columns) == sorted(words.values())
    for kind in stated["candidates"]:
        for name, cell in zip(columns, table[label(f"ml.kind.{kind}", lang)], strict=True):
            figure = stated["metrics"][kind][name]
            shown = [float(number) for number in re.findall(r"\d+\.\d+", cell)]
            kept = [figure[part] for part in ("value", "low", "high") if figure[part] is not None]
            assert shown == pytest.approx(kept, abs=0.0005)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reasons_overlap_and_data_are_those_of_the_record(trained: Trained, lang: str) -> None:
    stated, text = read(trained, lang)
    for code, weight in stated["reasons"].items():
        assert f"| {label(f'ml.reason.{code}', lang)} | {weight:.3f} |" in text
    assert label("ml.card.overlap", lang, share=f"{stated['overlap']['share']:.0%}") in text
    for number in ("households", "household_months", "positive_households"):
        assert str(stated["data"][number]) in text
    assert label("ml.card.forbidden", lang) in text
