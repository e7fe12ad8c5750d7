with
month as (
    select * from {{ ref('run_month') }}
),

county as (
    select county_code from {{ source('reference', 'division') }}
    where level = 'county'
),

validity as (
    select distinct
        feed,
        division,
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

-- A file of the whole city speaks for all counties, that of a district for its own.
told as (
    select
        validity.feed,
        county.county_code,
        validity.valid_from,
        validity.valid_to
    from validity
    inner join county on validity.division is null or validity.division like concat(county.county_code, '%')
),

first_delivery as (
    select
        feed,
        county_code,
        min(valid_from) as first_month
    from told
    group by feed, county_code
),

covered as (
    select
        told.feed,
        told.county_code,
        month.month,
        max(told.valid_from) as data_month
    from told
    inner join month
        on {{ in_force('month.month', 'told') }}
    group by
        told.feed,
        told.county_code,
        month.month
),

final as (
    select
        month.month,
        feed.feed,
        county.county_code,
        covered.feed is not null as is_covered,
        covered.data_month,
        coalesce(covered.data_month < month.month, false) as is_stale,
        coalesce(first_delivery.first_month <= month.month, false) as has_ever_come
    from month
    cross join feed
    cross join county
    left join covered
        on
            month.month = covered.month
            and feed.feed = covered.feed
            and county.county_code = covered.county_code
    left join first_delivery
        on
            feed.feed = first_delivery.feed
            and county.county_code = first_delivery.county_code
)

select * from final
