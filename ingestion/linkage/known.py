"""What the passes may know of persons: numbers, names and second facts.

Belongs here: the shape of that knowledge, and frames that have it. Does not belong here: where a data home keeps
it (``sources``), what is concluded from it (``match``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

PEOPLE = {"id_number": pl.String(), "name": pl.String()}
FACTS = {"id_number": pl.String(), "kind": pl.String(), "value": pl.String()}
PRESENT = {"group": pl.String(), "id_number": pl.String()}


class Known(Protocol):
    """Persons that have a valid number. Facts are asked for a few at a time: a lake is large."""

    @property
    def people(self) -> pl.DataFrame:
        """``PEOPLE``: one row a person and form of the name (now, former), names in comparable form."""

    def facts_of(self, id_numbers: pl.Series) -> pl.DataFrame:
        """``FACTS`` of these persons."""

    def holders(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """``FACTS`` of all persons that share a kind and value of ``wanted``."""

    def present(self, groups: pl.Series) -> pl.DataFrame:
        """``PRESENT``: who has an accepted row in these deliveries."""


@dataclass(frozen=True)
class KnownFrames:
    """Knowledge that lies in memory as a whole."""

    people: pl.DataFrame
    facts: pl.DataFrame
    rows: pl.DataFrame

    def facts_of(self, id_numbers: pl.Series) -> pl.DataFrame:
        return self.facts.join(id_numbers.rename("id_number").to_frame().unique(), on="id_number", how="semi")

    def holders(self, wanted: pl.DataFrame) -> pl.DataFrame:
        return self.facts.join(wanted.select("kind", "value").unique(), on=["kind", "value"], how="semi")

    def present(self, groups: pl.Series) -> pl.DataFrame:
        return self.rows.join(groups.rename("group").to_frame().unique(), on="group", how="semi")
