"""Each macro that differs between the engines, in its edge cases: the same answer on both, and the one meant.

Belongs here: single expressions over written rows. That whole tables agree is shown by ``zhaoren parity``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from orchestration.warehouse.parity import why_no_spark
from tests.dbt_project.engines import dispatched, on_duckdb, on_spark, rendered, small_session

# The same text on both engines; they differ in what that text names.
SHARED = {"rebuild_from", "months_before", "longest_window", "open_starts"}
# Ask for files or a run: seen by every build on Spark.
BUILT = {"register_sources", "parquet_at", "resolved_columns"}

TOLD = (
    "(values (1, 'b', 2, 7.5), (1, 'a', 2, 1.25), (1, null, 9, 2.0), (2, null, null, null))"
    " as told (id, word, place, yuan)"
)
DAYS = "(select date '2024-01-31' as day, date '2024-03-01' as later) as days"
ROWS = "(values ('f.b', 2), ('f.a', 10), ('f.a', 9), ('f.b', 2)) as told (delivery_id, row_number)"
EVIDENCE_TYPES = (
    "select cast(delivery_id as string) as delivery_id, cast(row_number as bigint) as row_number from " + ROWS
)
LISTS = (
    "(select {{ evidence_list() }} as one, {{ no_evidence() }} as none"
    f" from ({EVIDENCE_TYPES}) as typed) as lists"
)


def evidence(*rows: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"delivery_id": delivery, "row_number": row} for delivery, row in rows]


ALL = evidence(("f.a", 9), ("f.a", 10), ("f.b", 2))
# Macro, query, rows that it gives.
CASES: list[tuple[str, str, list[tuple[Any, ...]]]] = [
    # The row without a value is none, of two highest the greater value counts, and no row gives nothing.
    (
        "value_at_max",
        f"select id, {{{{ value_at_max('word', 'place') }}}} from {TOLD} group by id order by id",
        [(1, "b"), (2, None)],
    ),
    (
        "last_told",
        f"select {{{{ last_told('word') }}}} over (order by place nulls last, word"
        f" rows between unbounded preceding and current row) from {TOLD} where id = 1 order by place, word",
        [("a",), ("b",), ("b",)],
    ),
    (
        "text_list",
        f"select id, {{{{ text_list('word') }}}} from {TOLD} group by id order by id",
        [(1, "a,b"), (2, None)],
    ),
    (
        "ordered_text",
        f"""select id, {{{{ ordered_text('word', 'place, word', "'; '") }}}} from {TOLD} group by id order by id""",
        [(1, "a; b"), (2, None)],
    ),
    (
        "ordered_list",
        "select {{ ordered_list('word', 'place') }} from (values ('b', 1), ('a', 2)) as told (word, place)",
        [(["b", "a"],)],
    ),
    # A double is rounded as the double that it is, a decimal as it is written.
    (
        "as_decimal",
        "select {{ yuan('cast(1.005 as double)') }}, {{ yuan('cast(1.005 as decimal(9, 3))') }},"
        " {{ yuan('cast(-0.125 as double)') }}, {{ yuan('cast(100 as double) / 3') }},"
        " {{ as_decimal('cast(2 as double) / 3', 18, 6) }}, {{ yuan('cast(null as double)') }}",
        [(*map(Decimal, ("1.00", "1.01", "-0.13", "33.33", "0.666667")), None)],
    ),
    (
        "mean_over",
        "select {{ mean_over('cast(yuan as decimal(14, 2))', '(partition by id)') }}"
        f" from {TOLD} where place is null or place = 2 order by id, word",
        [(4.375,), (4.375,), (None,)],
    ),
    # To the last bit of the double, whatever the amounts.
    (
        "mean_over",
        "select distinct {{ mean_over('cast(yuan as decimal(14, 2))', '(partition by id)') }}"
        " from (values (1, 1000.01), (1, 2000.02), (1, 3333.34), (2, 8123.45), (2, 0.02), (2, 7.77), (2, 71.08),"
        " (2, 411.61), (2, 23.02), (2, 0.01)) as told (id, yuan) order by 1",
        [(float(Decimal("8636.96") / 7),), (float(Decimal("6333.37") / 3),)],
    ),
    (
        "condition",
        "select {{ condition('severe', '2', '1.5') }}, {{ condition('orphan') }}",
        [
            (
                {"condition": "severe", "value": Decimal("2.0000"), "line": Decimal("1.5000")},
                {"condition": "orphan", "value": None, "line": None},
            )
        ],
    ),
    ("list_of", """select {{ list_of(["'b'", "'a'"]) }}""", [(["b", "a"],)]),
    # A list that is not there begins with the item.
    (
        "list_with",
        """select {{ list_with('b', "'a'", 'true') }}, {{ list_with('b', "'a'", 'false') }},"""
        """ {{ list_with('missing', "'a'", 'true') }} from (select b, case when false then b end as missing"""
        """ from (select {{ list_of(["'b'"]) }} as b) as listed) as lists""",
        [(["b", "a"], ["b"], ["a"])],
    ),
    ("unnested", """select {{ unnested(list_of(["'b'", "'a'"])) }} as word order by word""", [("a",), ("b",)]),
    (
        "list_length",
        """select {{ list_length(list_of(["'b'", "'a'"])) }}, {{ list_length('none') }} from """ + LISTS,
        [(2, 0)],
    ),
    ("evidence", f"select {{{{ evidence() }}}} from ({EVIDENCE_TYPES}) as typed where row_number = 9", [(ALL[0],)]),
    (
        "one_evidence",
        f"select {{{{ one_evidence() }}}} from ({EVIDENCE_TYPES}) as typed where row_number = 9",
        [(ALL[:1],)],
    ),
    ("evidence_list", f"select one from {LISTS}", [(ALL,)]),
    ("no_evidence", f"select none from {LISTS}", [([],)]),
    (
        "evidence_union",
        f"select {{{{ evidence_union('listed') }}}} from (select one as listed from {LISTS}"
        f" union all select none as listed from {LISTS} union all select one as listed from {LISTS}) as lists",
        [(ALL,)],
    ),
    # A list that is not there adds nothing; two that are not there are an empty one.
    (
        "evidence_concat",
        "select {{ evidence_concat('one', 'one') }}, {{ evidence_concat('one', 'missing') }},"
        " {{ evidence_concat('missing', 'one') }}, {{ evidence_concat('missing', 'missing') }}"
        f" from (select one, case when none is null then none end as missing from {LISTS}) as lists",
        [(ALL, ALL, ALL, [])],
    ),
    # The end of a month stays one.
    (
        "add_months",
        f"select {{{{ add_months('day', 1) }}}}, {{{{ add_months('day', -2) }}}} from {DAYS}",
        [("2024-02-29", "2023-11-30")],
    ),
    (
        "add_days",
        f"select {{{{ add_days('day', 30) }}}}, {{{{ add_days('day', '-31') }}}} from {DAYS}",
        [("2024-03-01", "2023-12-31")],
    ),
    ("days_between", f"select {{{{ days_between('day', 'later') }}}} from {DAYS}", [(30,)]),
    (
        "month_series",
        "with span as (select date '2023-12-01' as first, date '2024-02-01' as last)"
        " {{ month_series('first', 'last', 'span') }} order by month",
        [("2023-12-01",), ("2024-01-01",), ("2024-02-01",)],
    ),
    (
        "plain_number",
        "select {{ plain_number('12.50') }}, {{ plain_number('100') }}, {{ plain_number('0.004') }}",
        [("12.5", "100", "0")],
    ),
    (
        "except_columns",
        "select told.* {{ except_columns(['two']) }} from (select 1 as one, 2 as two) as told",
        [(1,)],
    ),
    ("step", "with told as {{ step() }} (select 1 as one) select one from told", [(1,)]),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    reason = why_no_spark()
    if reason:
        pytest.skip(f"Spark cannot run here: {reason}")
    with warnings.catch_warnings():
        # PySpark tells of pandas 3, with which no row of ours comes into touch.
        warnings.simplefilter("ignore")
        session = small_session(tmp_path_factory.mktemp("spark"))
        yield session
        session.stop()


@pytest.mark.parametrize(("macro", "query", "rows"), CASES, ids=[case[0] for case in CASES])
def test_macro_on_duckdb(macro: str, query: str, rows: list[tuple[Any, ...]]) -> None:
    assert on_duckdb(rendered(query, "duckdb")) == rows


@pytest.mark.parametrize(("macro", "query", "rows"), CASES, ids=[case[0] for case in CASES])
def test_macro_on_spark(session: Any, macro: str, query: str, rows: list[tuple[Any, ...]]) -> None:
    assert on_spark(session, rendered(query, "spark")) == rows


def test_every_macro_that_differs_has_both_forms_and_a_case() -> None:
    differing = {name for name in dispatched() if name not in SHARED}
    assert {name for name in differing if dispatched()[name] != {"duckdb", "spark"}} == set()
    assert {case[0] for case in CASES} == differing - BUILT
