"""The words in which checks and their results are told: dimensions, classes, states.

Belongs here: the codes, written once for every room. Their texts are in ``models/labels/quality.yaml``.
"""

from __future__ import annotations

from typing import Literal

Dimension = Literal["completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy"]
CheckClass = Literal["mandatory", "verifying"]
State = Literal["passed", "failed", "not_applicable", "could_not_run"]

DIMENSIONS: tuple[Dimension, ...] = (
    "completeness",
    "validity",
    "uniqueness",
    "consistency",
    "timeliness",
    "accuracy",
)
CLASSES: tuple[CheckClass, ...] = ("mandatory", "verifying")
STATES: tuple[State, ...] = ("passed", "failed", "not_applicable", "could_not_run")
