with
hit as (
    select * from {{ ref('indicator_hit') }}
    where {{ since_rebuild('month') }}
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

final as (
    select
        hit.month,
        household.county_code,
        hit.indicator,
        hit.side,
        cast(count(*) as integer) as hit_count,
        cast(count(distinct hit.household_id) as integer) as household_count,
        cast(sum(case when hit.month = hit.first_month then 1 else 0 end) as integer) as new_count
    from hit
    inner join household on hit.month = household.month and hit.household_id = household.household_id
    group by hit.month, household.county_code, hit.indicator, hit.side
)

select * from final
