with
result as (
    select * from {{ source('reference', 'check_result') }}
),

final as (
    select
        coalesce(period, '') as period,
        feed_or_table,
        dimension,
        class,
        state,
        cast(count(*) as integer) as check_count,
        cast(sum(coalesce(numerator, 0)) as bigint) as row_count
    from result
    group by coalesce(period, ''), feed_or_table, dimension, class, state
)

select * from final
