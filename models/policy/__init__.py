"""What the rules say: parameters, the indicator catalogue, benefits and which of them exclude each other.

Belongs here: reading and resolving the YAML beside this file. Does not belong here: applying a rule to a
household (dbt) or any number of a policy (those are the YAML).
"""

from models.policy.catalogue import (
    Benefit,
    Indicator,
    Overlap,
    load_benefits,
    load_indicators,
    load_overlaps,
    policy_version,
)
from models.policy.child_risk import ChildRiskReason, ParentState, load_child_risk_reasons, load_parent_states
from models.policy.parameters import (
    Parameter,
    ParameterError,
    ParameterRow,
    load_parameters,
    parameter_value,
    resolve,
    round_half_up,
)

__all__ = [
    "Benefit",
    "ChildRiskReason",
    "Indicator",
    "Overlap",
    "Parameter",
    "ParameterError",
    "ParameterRow",
    "ParentState",
    "load_benefits",
    "load_child_risk_reasons",
    "load_indicators",
    "load_overlaps",
    "load_parameters",
    "load_parent_states",
    "parameter_value",
    "policy_version",
    "resolve",
    "round_half_up",
]
