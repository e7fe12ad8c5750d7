"""Panels and trainings that several tests of this room share: built once, never changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from ml import TrainingResult, train
from ml.experiment import Candidate, Experiment, load_experiment
from ml.registry import promote
from tests.ml.synthetic import Panel, panel


@pytest.fixture(scope="session")
def experiment() -> Experiment:
    return load_experiment()


@pytest.fixture(scope="session")
def quick(experiment: Experiment) -> Experiment:
    """The experiment with few bootstrap draws and few trees, for tests that train many times."""
    kinds = {candidate.kind: candidate for candidate in experiment.candidates}
    options = dict(kinds["additive"].options) | {"max_iter": 15, "min_samples_leaf": 20}
    return replace(
        experiment,
        validation=replace(experiment.validation, bootstrap_replicates=20, origins=3),
        candidates=(kinds["rules"], kinds["logistic"], Candidate("additive", options)),
    )


@pytest.fixture(scope="session")
def only_additive(quick: Experiment) -> Experiment:
    """Rules without rules and the additive model: whatever is learnt, the additive model learns it."""
    return replace(quick, candidates=(Candidate("rules", {"rules": []}), quick.candidates[2]))


@pytest.fixture(scope="session")
def city() -> Panel:
    return panel()


@pytest.fixture(scope="session")
def trained(
    city: Panel, only_additive: Experiment, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingResult, Path]:
    """A training on the shared panel, promoted, with its registry."""
    registry = tmp_path_factory.mktemp("registry")
    result = train(city.features, city.events, registry, city.last, only_additive)
    promote(registry, result.model_version)
    return result, registry
