"""Who is likely to need help and is not helped: cohort, label, features, time splits, train, calibrate, score, explain.

Belongs here: everything between the two Parquet tables of the warehouse (household_month_feature,
household_month_label_event) and household_score. Not here: SQL, the warehouse file, alerts, the clock.
"""

import os
import sys

# scikit-learn's OpenMP threads spin while they wait: on two busy cores 49.5 s became 3.8 s with passive waiting.
# It must stand before scikit-learn is first imported; a value the operator has set wins.
# Where scikit-learn was imported before, the policy comes too late, and `ml.boosted` spares threads instead.
WAITS_PASSIVELY = "sklearn.ensemble" not in sys.modules or os.environ.get("OMP_WAIT_POLICY", "").upper() == "PASSIVE"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from ml.scoring import score, write_scores  # noqa: E402
from ml.training import Beside, TrainingResult, train  # noqa: E402

__all__ = ["Beside", "TrainingResult", "score", "train", "write_scores"]
