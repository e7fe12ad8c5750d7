"""Stands in for dbt's ``adapter`` while sqlfluff renders the models; dbt itself never reads it.

sqlfluff's own dbt templater would have to parse and compile the whole project for each run, so models are rendered
with plain Jinja. A dispatched macro becomes a call of a function of its name.
"""

from collections.abc import Callable


def dispatch(macro_name: str) -> Callable[..., str]:
    """A function that renders a dispatched macro as an SQL function call over its arguments."""
    if macro_name == "month_series":
        return lambda first, _last, relation: f"select {first} as month from {relation}"
    if macro_name == "step":
        return lambda: "materialized"
    if macro_name == "except_columns":
        return lambda columns: f"exclude ({', '.join(columns)})"
    if macro_name == "months_before":
        return lambda _parameter: "1"
    return lambda *arguments: f"{macro_name}({', '.join(str(argument) for argument in arguments)})"
