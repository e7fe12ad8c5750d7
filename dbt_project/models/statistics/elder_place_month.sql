with
elder as (
    select * from {{ ref('elder_visit_month') }}
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
        elder.month,
        elder.person_key,
        place.village_code,
        coalesce(household.register_layer, 'none') as layer,
        elder.is_visit_due,
        elder.is_visit_due and elder.visit_status = 'done' as is_visited,
        elder.is_candidate
    from elder
    left join household on elder.month = household.month and elder.household_id = household.household_id
    inner join place on coalesce(elder.village_code, '') = place.told_code
)

select * from final
