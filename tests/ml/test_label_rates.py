"""A group that lost labels is named; chance, a mild difference and a badly scaled model accuse nobody."""

import numpy as np
import polars as pl

from ml.label_rates import find_label_loss


def rows(lost: float = 0.0, scale: float = 1.0, groups: int = 6, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    size = 40_000
    group = rng.integers(0, groups, size)
    probability = rng.beta(0.5, 30, size) * (1 + group / groups)
    label = rng.random(size) < probability
    label &= ~((group == 2) & (rng.random(size) < lost))
    names = np.array([f"township {number}" for number in range(groups)])
    return pl.DataFrame({"group": names[group], "label": label.astype(np.int8), "probability": probability * scale})


def test_a_group_without_two_fifths_of_its_labels_is_named_and_no_other() -> None:
    for seed in range(5):
        found = find_label_loss(rows(lost=0.4, seed=seed), "group")
        assert [loss.group for loss in found] == ["township 2"]
        assert found[0].observed < 0.8 * found[0].expected


def test_nobody_is_accused_where_nothing_is_lost_or_the_model_is_badly_scaled() -> None:
    for seed in range(5):
        assert find_label_loss(rows(seed=seed), "group") == ()
        assert find_label_loss(rows(scale=3.0, seed=seed), "group") == ()
    assert find_label_loss(rows(lost=0.05), "group") == ()


def test_a_group_too_small_to_judge_is_not_judged() -> None:
    few = rows(lost=1.0).filter((pl.col("group") != "township 2") | (pl.int_range(pl.len()) % 60 == 0))
    assert find_label_loss(few, "group") == ()
