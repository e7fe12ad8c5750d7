"""Cases that lie in the city, by indicator of the catalogue, and near misses that must not fire.

Belongs here: what the warehouse should find. Does not belong here: how it finds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from simulator.city import City


@dataclass
class Witness:
    """Watches the city month by month and notes cases."""

    cases: list[dict[str, object]] = field(default_factory=list)

    def observe(self, city: City) -> None:
        pass

    def write(self, path: Path) -> int:
        path.write_text("", encoding="utf-8")
        return len(self.cases)
