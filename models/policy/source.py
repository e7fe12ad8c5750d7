"""The source of a parameter in the reader's language.

Belongs here: finding the words. A document of the state is named as it is in either language.
"""

from __future__ import annotations

import re
from functools import cache

from models.labels import load_labels

GROUP = "policy_source."
OF_AN_INDICATOR = re.compile(r"^(?P<text>.*?)(?P<of>, [NX]\d\d)?$", re.DOTALL)


def source_in(source: str, lang: str) -> str:
    """``source`` as a reader of ``lang`` reads it; one without words in that language stands as it is."""
    if lang != "zh":
        return source
    found = OF_AN_INDICATOR.match(source)
    assert found is not None
    known = _known().get(found["text"])
    return source if known is None else known + (found["of"] or "").replace(", ", "，")


@cache
def _known() -> dict[str, str]:
    return {text.en: text.zh for key, text in load_labels().items() if key.startswith(GROUP)}
