"""Which model follows which, by dbt's manifest, with the names that Dagster has for them.

Belongs here: walking the manifest. What rows rest on which rows is in ``explain``.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

STEPS = {"model": pl.String, "asset": pl.String, "layer": pl.String, "is_public": pl.Boolean}
QUOTED = re.compile(r"""['"](\w+)['"]""")


class Lineage:
    """The graph of models and sources; nodes by dbt's unique id."""

    def __init__(self, manifest: Path) -> None:
        told: Mapping[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        kept = {key: node for key, node in told["nodes"].items() if node["resource_type"] == "model"}
        self._nodes: dict[str, Any] = {**told["sources"], **kept}
        self._above = {key: [up for up in told["parent_map"].get(key, ()) if up in self._nodes] for key in self._nodes}
        self._below = {key: [down for down in told["child_map"].get(key, ()) if down in kept] for key in self._nodes}
        self._by_name = {node["name"]: key for key, node in kept.items()}

    def model_of_indicator(self, indicator: str) -> str | None:
        """The name of the model that says when an indicator fires: it begins with the indicator's number."""
        start = f"{indicator.lower()}_"
        return next((name for name in sorted(self._by_name) if name.startswith(start)), None)

    def parameters_of(self, model: str, known: Iterable[str]) -> list[str]:
        """Parameters of policy that the text of a model names."""
        return sorted(set(QUOTED.findall(self._nodes[self._by_name[model]]["raw_code"])) & set(known))

    def way(self, model: str, feed: str) -> list[str]:
        """The shortest way up from a model to a feed of the lake, itself first; empty where there is none."""
        first = self._by_name[model]
        came_from: dict[str, str | None] = {first: None}
        waiting = deque([first])
        while waiting:
            key = waiting.popleft()
            node = self._nodes[key]
            if node["resource_type"] == "source" and node["source_name"] == "lake" and node["name"] == feed:
                return _back(key, came_from)[::-1]
            for up in sorted(self._above[key]):
                if up not in came_from:
                    came_from[up] = key
                    waiting.append(up)
        return []

    def following(self, feed: str) -> list[str]:
        """Every model that rests on a feed of the lake, in the order of layers and names."""
        sources = [
            key for key, node in self._nodes.items() if (node.get("source_name"), node["name"]) == ("lake", feed)
        ]
        found: set[str] = set()
        waiting = list(sources)
        while waiting:
            new = set(self._below[waiting.pop()]) - found
            found |= new
            waiting += new
        return sorted(found, key=lambda key: (self._nodes[key]["schema"], self._nodes[key]["name"]))

    def id_of(self, model: str) -> str:
        """The unique id of a model by its name."""
        return str(self._by_name[model])

    def steps(self, keys: Iterable[str]) -> pl.DataFrame:
        """Models and sources with dbt's unique id, Dagster's asset key, layer, and whether readers see the table."""
        rows = [self._step(key) for key in keys]
        return pl.DataFrame(rows, schema=STEPS, orient="row")

    def _step(self, key: str) -> tuple[str, str, str, bool]:
        node = self._nodes[key]
        if node["resource_type"] == "source":
            return key, f"{node['source_name']}/{node['name']}", str(node["source_name"]), False
        return key, f"{node['schema']}/{node['name']}", str(node["schema"]), node.get("access") == "public"


def _back(key: str, came_from: Mapping[str, str | None]) -> list[str]:
    way, at = [], key
    step: str | None = at
    while step is not None:
        way.append(step)
        step = came_from[step]
    return way
