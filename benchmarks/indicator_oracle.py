"""Who should stand under which indicator in which month, read anew from the domain page, against what the rules found.

``nice .venv/bin/python -m benchmarks.indicator_oracle HOME`` on a finished data home. Polars over the lake; nothing
of the rules in SQL or their parameters is used: the numbers there are those of the catalogue, typed a second time on
purpose. The reading is the literal one, without the rules' guards against quarantined rows and late news, so that
differences are expected; each kind is named with how often it occurs, to be judged by a person.

Belongs here: comparing. Does not belong here: the readings (``indicator_need``, ``indicator_exit``), the lake
(``indicator_city``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from benchmarks import indicator_exit, indicator_need
from benchmarks.indicator_city import LakeCity
from benchmarks.indicator_reading import RULES

# To import a side is what registers its readings.
SIDES = (indicator_need, indicator_exit)


def compare(city: LakeCity) -> pl.DataFrame:
    """One row an indicator: rows and spells found by both, by the oracle alone, by the rules alone."""
    hits = city.published("indicator_hit")
    lines = []
    for indicator, (grain, reading) in sorted(RULES.items()):
        own = reading(city).select("month", grain).drop_nulls().unique()
        rules = hits.filter(pl.col("indicator") == indicator).select("month", grain).drop_nulls().unique()
        both = own.join(rules, on=["month", grain])
        lines.append({
            "indicator": indicator, "both": both.height,
            "oracle_only": own.height - both.height, "rules_only": rules.height - both.height,
            "both_who": own[grain].unique().is_in(rules[grain].unique().to_list()).sum(),
            "oracle_only_who": own.join(rules, on=grain, how="anti")[grain].n_unique(),
            "rules_only_who": rules.join(own, on=grain, how="anti")[grain].n_unique(),
        })  # fmt: skip
    return pl.DataFrame(lines)


def main() -> None:
    with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True):
        print(compare(LakeCity(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
