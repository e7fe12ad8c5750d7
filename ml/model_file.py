"""A model as a file: skops with an allow-list of types, the same bytes for the same model.

Belongs here: writing and reading one file. Does not belong here: which version is in force (``registry``).
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import skops.io

SCHEMA = "schema.json"
# skops writes the time and the addresses of objects in memory; neither says anything about the model.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class ModelFileError(RuntimeError):
    """The file is no skops file, or holds what may not be brought to life; the message says which."""


def dump_model(content: Mapping[str, Any]) -> bytes:
    """The content as skops, with numbers in the order of writing in place of addresses, and without times."""
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(dict(content))))
    arrays = {name: source.read(name) for name in source.namelist() if name != SCHEMA}
    names = {name: f"{hashlib.sha256(array).hexdigest()[:32]}.npy" for name, array in arrays.items()}
    schema = json.loads(source.read(SCHEMA))
    _renumber(schema, names)
    files = {names[name]: array for name, array in arrays.items()}
    files[SCHEMA] = json.dumps(schema, indent=1).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(files):
            target.writestr(zipfile.ZipInfo(name, _NO_TIME), files[name])
    return written.getvalue()


def _renumber(schema: dict[str, Any], names: Mapping[str, str]) -> None:
    number = itertools.count(1)
    for node in _nodes(schema):
        if "__id__" in node:
            # skops writes every object out in full wherever it stands, so each place may have a number of its own.
            node["__id__"] = next(number)
        if node.get("type") == "numpy" and node.get("file") in names:
            node["file"] = names[node["file"]]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def load_model(path: Path, trusted: Collection[str]) -> Any:
    """Bring a file to life; a pickle, any other file and any type not in `trusted` are refused before anything runs."""
    if not zipfile.is_zipfile(path) or SCHEMA not in zipfile.ZipFile(path).namelist():
        raise ModelFileError("is no skops file (a pickle is never read)")
    unknown = [name for name in skops.io.get_untrusted_types(file=path) if name not in trusted]
    if unknown:
        raise ModelFileError(f"holds types that are not allowed: {', '.join(sorted(unknown))}")
    return skops.io.load(path, trusted=list(trusted))
