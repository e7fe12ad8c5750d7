"""From which columns a column comes, read out of SQL."""

from orchestration.warehouse.column_lineage import ColumnName, Model, all_origins, column_origins

LAKE = "read_parquet('/somewhere/lake/pension_payment/**/*.parquet', union_by_name=true, hive_partitioning=false)"
REFERENCE = "read_parquet('/somewhere/reference/person_alias.parquet')"
SOURCES = {
    ("lake", "pension_payment"): ["person_key", "amount", "period"],
    ("reference", "person_alias"): ["person_key", "resolved_key"],
}
STAGED = Model(
    "staging",
    "stg_pension",
    ("person_key", "amount", "period"),
    f"""
    with delivered as (
        select row_of.* replace (coalesce(alias.resolved_key, row_of.person_key) as person_key)
        from {LAKE} as row_of
        left join {REFERENCE} as alias on row_of.person_key = alias.person_key
    )

    select * from delivered
    """,
)
COUNTED = Model(
    "indicators",
    "income",
    ("person_key", "total", "row_count", "highest", "kind"),
    """
    with paid as (
        select person_key, amount as money from warehouse.staging.stg_pension
        union all
        select person_key, -amount from warehouse.staging.stg_pension
    ),

    final as (
        select
            person_key,
            sum(money) as total,
            count(*) as row_count,
            (select max(period) from warehouse.staging.stg_pension) as highest,
            'pension' as kind
        from paid
        group by person_key
    )

    select * from final
    """,
)


def staged(column: str) -> ColumnName:
    return ColumnName("staging", "stg_pension", column)


def test_a_star_with_a_replaced_column_a_union_and_a_subquery() -> None:
    found = column_origins([STAGED, COUNTED], SOURCES)
    assert found[staged("amount")] == {ColumnName("lake", "pension_payment", "amount")}
    assert found[staged("person_key")] == {
        ColumnName("lake", "pension_payment", "person_key"),
        ColumnName("reference", "person_alias", "resolved_key"),
    }
    assert found[ColumnName("indicators", "income", "total")] == {staged("amount")}
    assert found[ColumnName("indicators", "income", "highest")] == {staged("period")}


def test_what_is_counted_or_set_comes_from_no_column() -> None:
    found = column_origins([STAGED, COUNTED], SOURCES)
    assert found[ColumnName("indicators", "income", "row_count")] == frozenset()
    assert found[ColumnName("indicators", "income", "kind")] == frozenset()


def test_the_end_of_the_way_is_what_was_delivered() -> None:
    ends = all_origins(column_origins([STAGED, COUNTED], SOURCES))
    assert ends[ColumnName("indicators", "income", "total")] == {ColumnName("lake", "pension_payment", "amount")}
