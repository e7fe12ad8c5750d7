"""From a declared candidate to an estimator; the one place that knows which kind is which class."""

from collections.abc import Collection

import numpy as np

from ml.additive import AdditiveModel
from ml.boosted import BoostedRiskClassifier
from ml.estimator import AdditiveRiskClassifier, LogisticRiskClassifier, RuleListClassifier
from ml.experiment import Candidate, Experiment
from ml.spline import SplineRiskClassifier


def estimator_of(candidate: Candidate, experiment: Experiment, excluded: Collection[str] = ()) -> AdditiveModel:
    """An unfitted estimator of the candidate's kind, with directions, scales and seed of the experiment.

    Rules on excluded features fall away; the learning kinds get those columns empty instead (see ml.sample).
    """
    directions = [feature.direction for feature in experiment.features]
    if candidate.kind == "rules":
        rules = [rule for rule in candidate.options["rules"] if rule["feature"] not in excluded]
        return RuleListClassifier(rules=rules, feature_names=list(experiment.feature_names))
    if candidate.kind == "logistic":
        log_scale = [feature.scale == "log" for feature in experiment.features]
        return LogisticRiskClassifier(directions=directions, log_scale=log_scale, **candidate.options)
    if candidate.kind == "spline":
        log_scale = [feature.scale == "log" for feature in experiment.features]
        return SplineRiskClassifier(directions=directions, log_scale=log_scale, **candidate.options)
    if candidate.kind == "boosted":
        return BoostedRiskClassifier(directions=directions, random_state=experiment.seed, **candidate.options)
    return AdditiveRiskClassifier(directions=directions, random_state=experiment.seed, **candidate.options)


def rules_of(experiment: Experiment) -> RuleListClassifier:
    """The rule list, ready to score: it learns nothing."""
    rules = estimator_of(experiment.candidates[0], experiment)
    assert isinstance(rules, RuleListClassifier)
    return rules.fit(np.zeros((1, len(experiment.features))))
