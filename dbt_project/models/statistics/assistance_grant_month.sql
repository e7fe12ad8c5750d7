with
granted as (
    select * from {{ ref('person_temporary_assistance') }}
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select
        month,
        person_key,
        household_id
    from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        village_code,
        register_layer
    from {{ ref('household_month') }}
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        granted.known_month as month,
        granted.application_no,
        granted.person_key,
        granted.hardship_type,
        granted.amount_yuan,
        coalesce(household.register_layer, 'none') as layer,
        place.village_code
    from granted
    inner join month on granted.known_month = month.month
    left join member on granted.known_month = member.month and granted.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
)

select * from final
