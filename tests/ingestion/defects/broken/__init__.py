"""Files that no ordinary program writes, and the odd things that spreadsheet programs do write.

Belongs here: one function a file, in the module of its format, named in the catalogue by ``build``. Does not belong
here: ordinary files (``files``), what is expected (``cases``).
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType

from models.contract import Feed
from tests.ingestion.defects.broken import archives, json_lines, sheet_xml, texts, workbooks
from tests.ingestion.defects.catalogue import Case

_MODULES = (workbooks, sheet_xml, archives, texts, json_lines)

BUILDERS: dict[str, Callable[[Case, Feed], bytes]] = {
    name: function
    for module in _MODULES
    for name, function in vars(module).items()
    if isinstance(function, FunctionType) and function.__module__ == module.__name__ and not name.startswith("_")
}
"""All of them by their names."""
