"""The card of a registered model as page and PDF in both languages, beside its files.

Belongs here: reading a version's figures and writing the forms. What the card says is in ``workbench.model_card``.
"""

from __future__ import annotations

import json
from pathlib import Path

from ml.manifest import MANIFEST
from workbench.model_card import model_card
from workbench.report.write import write_report

CARD_FOLDER = "card"


def write_model_card(directory: Path) -> list[Path]:
    """Write model_card_zh and model_card_en as HTML and PDF into ``card`` of a version's directory."""
    stated, manifest = (
        json.loads((directory / name).read_text(encoding="utf-8")) for name in ("metrics.json", MANIFEST)
    )
    written: list[Path] = []
    for lang in ("zh", "en"):
        written += write_report(model_card(stated, manifest, lang), directory / CARD_FOLDER, ("html", "pdf"))
    return written
