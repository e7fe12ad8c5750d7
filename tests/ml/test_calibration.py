"""Calibration never turns the order round, and states the rate it was shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.calibration import ScoreCalibrator


@pytest.mark.parametrize("few", [10_000, 1], ids=["platt", "isotonic"])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), slope=st.floats(-2, 3), rate=st.floats(0.01, 0.4))
def test_probability_never_falls_when_the_score_rises(few: int, seed: int, slope: float, rate: float) -> None:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=400)
    label = (rng.random(400) < 1 / (1 + np.exp(-(np.log(rate) + slope * score)))).astype(float)
    calibrator = ScoreCalibrator(few).fit(score, label)
    shown = calibrator.predict(np.linspace(-9, 9, 300))
    assert (np.diff(shown) >= 0).all()
    assert ((shown >= 0) & (shown <= 1)).all()
    assert calibrator.predict(score).mean() == pytest.approx(label.mean(), abs=0.02)


def test_no_entry_at_all_gives_a_small_flat_probability() -> None:
    calibrator = ScoreCalibrator().fit(np.arange(100.0), np.zeros(100))
    shown = calibrator.predict(np.array([0.0, 99.0]))
    assert shown[0] == shown[1] < 0.01


def test_a_score_of_the_wrong_sign_gives_a_flat_probability_not_a_falling_one() -> None:
    score = np.arange(200.0)
    calibrator = ScoreCalibrator().fit(score, (score < 20).astype(float))
    assert calibrator.slope_ == 0.0
