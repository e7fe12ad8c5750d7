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
    "Indicator",
    "Overlap",
    "Parameter",
    "ParameterError",
    "ParameterRow",
    "load_benefits",
    "load_indicators",
    "load_overlaps",
    "load_parameters",
    "parameter_value",
    "policy_version",
    "resolve",
    "round_half_up",
]
