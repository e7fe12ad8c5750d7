with
child as (
    select * from {{ ref('child_state_month') }}
    where {{ since_rebuild('month') }}
),

household as (
    select
        month,
        household_id,
        register_layer
    from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        child.month,
        child.person_key,
        place.village_code,
        coalesce(household.register_layer, 'none') as layer,
        child.state,
        child.risk_level
    from child
    left join household on child.month = household.month and child.household_id = household.household_id
    inner join place on coalesce(child.village_code, '') = place.told_code
)

select * from final
