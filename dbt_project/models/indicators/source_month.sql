with
month as (
    select * from {{ ref('run_month') }}
),

validity as (
    select distinct
        feed,
        valid_from,
        valid_to
    from {{ source('reference', 'delivery_validity') }}
),

feed as (
    select
        feed,
        mode
    from {{ source('reference', 'feed') }}
),

first_delivery as (
    select
        feed,
        min(valid_from) as first_month
    from validity
    group by feed
),

covered as (
    select distinct
        validity.feed,
        month.month
    from validity
    inner join month
        on {{ in_force('month.month', 'validity') }}
),

final as (
    select
        month.month,
        feed.feed,
        covered.feed is not null as is_covered,
        coalesce(first_delivery.first_month <= month.month, false) as has_ever_come
    from month
    cross join feed
    left join covered
        on
            month.month = covered.month
            and feed.feed = covered.feed
    left join first_delivery
        on feed.feed = first_delivery.feed
)

select * from final
