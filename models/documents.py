"""YAML documents of the house, read by the C parser: the one written in Python costs every command half a second.

Belongs here: from text to plain values. Does not belong here: what the values mean (``contract``, ``policy``).
"""

from __future__ import annotations

from typing import Any

import yaml


def read_document(text: str | bytes) -> Any:
    """The values of one YAML document; ``yaml.YAMLError`` where it is none."""
    return yaml.load(text, Loader=yaml.CSafeLoader)
