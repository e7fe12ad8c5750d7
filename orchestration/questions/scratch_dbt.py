"""dbt in a scratch warehouse: the parsed project of the home, told that the reference tables lie elsewhere.

Belongs here: what runs in the process that ``scratch`` starts. To read the project anew would take twice as long as all
else together; only where the reference tables lie differs, so that is changed in what dbt read before.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).parents[2] / "dbt_project"


def parsed_project(manifest: Path, before: str, after: str) -> Manifest:
    """The project as it was parsed, with every place of ``before`` in a source moved to ``after``."""
    parsed = Manifest.from_msgpack(manifest.read_bytes())
    for source in parsed.sources.values():
        for place in (source.meta, source.source_meta, source.config.meta):
            location = place.get("external_location")
            if location:
                place["external_location"] = location.replace(before, after)
        source.relation_name = (source.relation_name or "").replace(before, after)
    return parsed


def main() -> int:
    """Build the models that standard input names; 0 where all of them stand."""
    order = json.load(sys.stdin)
    manifest = parsed_project(Path(order["manifest"]), *order["reference"])
    os.chdir(PROJECT)
    selection = ["--select", *order["models"]]
    result = dbtRunner(manifest=manifest).invoke(["--quiet", "--no-use-colors", "run", *selection])
    if result.exception is not None:
        sys.stderr.write(f"{result.exception}\n")
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
