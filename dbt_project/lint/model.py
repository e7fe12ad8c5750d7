"""Stands in for the ``model`` that dbt renders, while sqlfluff does it; dbt itself never reads it."""

resource_type = "model"
fqn = ["zhaoren", "identity", "a_model"]
