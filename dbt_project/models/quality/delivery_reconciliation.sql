with
delivery as (
    select * from {{ source('reference', 'delivery') }}
),

lake as (
    select
        delivery_id,
        count(*) as row_count
    from {{ source('lake_rows', 'lake_row') }}
    group by delivery_id
),

final as (
    select
        delivery.delivery_id,
        delivery.feed,
        delivery.period,
        delivery.status,
        cast(delivery.rows_data as bigint) as data_row_count,
        cast(delivery.rows_accepted as bigint) as accepted_row_count,
        cast(delivery.rows_quarantined as bigint) as quarantined_row_count,
        cast(coalesce(lake.row_count, 0) as bigint) as lake_row_count,
        -- Only what was accepted stands in the lake; a held delivery states its counts as if released.
        case
            when delivery.status in ('accepted', 'held')
                then cast(delivery.rows_data - delivery.rows_accepted - delivery.rows_quarantined as bigint)
            else 0
        end as unaccounted_row_count,
        case
            when delivery.status = 'accepted'
                then cast(delivery.rows_accepted - coalesce(lake.row_count, 0) as bigint)
            else cast(coalesce(lake.row_count, 0) as bigint)
        end as lake_difference_count
    from delivery
    left join lake on delivery.delivery_id = lake.delivery_id
)

select * from final
