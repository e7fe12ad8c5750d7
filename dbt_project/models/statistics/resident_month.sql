with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }} and counted_member_count > 0
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        household.month,
        place.village_code,
        household.register_layer as layer,
        cast(count(*) as integer) as household_count,
        cast(sum(household.counted_member_count) as integer) as person_count
    from household
    inner join place on coalesce(household.village_code, '') = place.told_code
    group by household.month, place.village_code, household.register_layer
)

select * from final
