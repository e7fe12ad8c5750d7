"""Legal holds: persons whose identities must not be deleted, whatever retention says.

Belongs here: the list of holds, with who asked, why and since when. Does not belong here: who may ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.encryption import EncryptedParquet
from ingestion.store import Store

_SCHEMA = {
    "person_key": pl.String(),
    "held_at": pl.Datetime("us", "UTC"),
    "held_by": pl.String(),
    "reason": pl.String(),
    "lifted_at": pl.Datetime("us", "UTC"),
    "lifted_by": pl.String(),
    "lifted_reason": pl.String(),
}


class Holds:
    """The holds of one vault, lifted ones included: that one was lifted stays on record."""

    def __init__(self, store: Store) -> None:
        self._encrypted: EncryptedParquet = store.encrypted
        self._file: Path = store.vault / "hold" / "hold.parquet"

    def all(self) -> pl.DataFrame:
        """Every hold ever, oldest first: person_key, held_at, held_by, reason, lifted_at, lifted_by, lifted_reason."""
        return self._encrypted.read(self._file) if self._file.exists() else pl.DataFrame(schema=_SCHEMA)

    def in_force(self) -> pl.Series:
        """Person keys that are held now."""
        return self.all().filter(pl.col("lifted_at").is_null())["person_key"].unique().sort()

    def place(self, person_keys: Sequence[str], who: str, reason: str, now: datetime) -> int:
        """Hold those of the persons who are not held yet; how many that were."""
        held = self.in_force()
        fresh = [key for key in dict.fromkeys(person_keys) if key not in held]
        rows = pl.DataFrame({"person_key": fresh}, schema={"person_key": pl.String}).with_columns(
            pl.lit(now).cast(_SCHEMA["held_at"]).alias("held_at"),
            pl.lit(who).alias("held_by"),
            pl.lit(reason).alias("reason"),
            *(pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name.startswith("lifted")),
        )
        if fresh:
            self._encrypted.write(pl.concat([self.all(), rows.select(list(_SCHEMA))]), self._file)
        return len(fresh)

    def lift(self, person_keys: Sequence[str], who: str, reason: str, now: datetime) -> int:
        """Lift the holds of those persons; how many that were."""
        wanted = pl.col("person_key").is_in(list(person_keys)) & pl.col("lifted_at").is_null()
        known = self.all()
        count = known.filter(wanted).height
        if count:
            said = {"lifted_at": pl.lit(now).cast(_SCHEMA["lifted_at"]), "lifted_by": pl.lit(who)}
            said["lifted_reason"] = pl.lit(reason)
            changed = [pl.when(wanted).then(value).otherwise(pl.col(name)).alias(name) for name, value in said.items()]
            self._encrypted.write(known.with_columns(changed), self._file)
        return count
