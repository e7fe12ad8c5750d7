"""Groups whose entries are fewer than the model expects: labels that got lost, not people who need nothing.

Belongs here: expected against observed entries by group. Not here: features that drift, fairness of lists.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import binom

LEAST_EXPECTED = 15.0  # under so many expected entries no group can be told from chance
LEAST_CHANCE = 0.01  # after the number of groups looked at is allowed for
RATIO = 0.8  # fewer than this share of what is expected, or it is not worth a word


@dataclass(frozen=True)
class LabelLoss:
    """A group with its entries and what the model, level with all other groups, expected of it."""

    group: str
    observed: int
    expected: float
    chance: float


def find_label_loss(rows: pl.DataFrame, group: str) -> tuple[LabelLoss, ...]:
    """Groups with significantly fewer entries than expected, the worst first.

    `rows`: labelled rows with `label` (0, 1), `probability` and the column `group`. Each group is compared with the
    rest: expected = its share of the model's expectation, times the entries of all, so that a model that states
    too much or too little everywhere accuses nobody.
    """
    known = rows.filter(
        pl.col("label").is_not_null() & pl.col("probability").is_not_null() & pl.col(group).is_not_null()
    )
    table = known.group_by(group).agg(pl.col("label").sum(), pl.col("probability").sum()).sort(group)
    observed = table["label"].cast(pl.Float64).to_numpy()
    stated = table["probability"].to_numpy()
    found = []
    for place, name in enumerate(table[group].to_list()):
        others = np.arange(len(table)) != place
        if observed[others].sum() == 0 or stated[others].sum() == 0:
            continue
        expected = float(stated[place] * observed[others].sum() / stated[others].sum())
        share = float(stated[place] / stated.sum())
        chance = float(binom.cdf(observed[place], observed.sum(), share)) * len(table)
        if expected >= LEAST_EXPECTED and observed[place] < RATIO * expected and chance < LEAST_CHANCE:
            found.append(LabelLoss(str(name), int(observed[place]), expected, chance))
    return tuple(sorted(found, key=lambda loss: (loss.chance, loss.group)))
