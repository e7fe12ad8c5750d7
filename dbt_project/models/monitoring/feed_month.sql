with
county as (
    select
        code as county_division,
        county_code
    from {{ source('reference', 'division') }}
    where level = 'county'
),

month as (
    select * from {{ ref('run_month') }}
),

feed as (
    select feed from {{ source('reference', 'feed') }}
),

delivery as (
    select
        validity.feed,
        validity.valid_from as month,
        validity.division
    from {{ source('reference', 'delivery_validity') }} as validity
    inner join {{ source('reference', 'delivery') }} as delivery on validity.delivery_id = delivery.delivery_id
    where {{ month_of(try_cast("concat(delivery.period, '-01')", 'date')) }} = validity.valid_from
),

arrived as (
    select distinct
        delivery.feed,
        delivery.month,
        county.county_code
    from delivery
    inner join county on delivery.division is null or delivery.division like concat(county.county_code, '%')
),

final as (
    select
        month.month,
        feed.feed,
        county.county_code,
        arrived.feed is not null as is_arrived
    from month
    cross join feed
    cross join county
    left join arrived
        on
            month.month = arrived.month
            and feed.feed = arrived.feed
            and county.county_code = arrived.county_code
)

select * from final
