with
household as (
    select * from {{ ref('household_month') }}
    where counted_member_count > 0 and {{ since_rebuild('month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

composition as (
    select * from {{ ref('household_month_composition') }}
    where {{ since_rebuild('month') }}
),

final as (
    select
        household.month,
        household.household_id,
        household.township_code,
        household.area_type,
        cast(member.age_years as integer) as head_age_years,
        member.sex as head_sex,
        coalesce(composition.disabled_count, 0) > 0 as has_disabled_member,
        coalesce(composition.is_single_parent, false) as is_single_parent
    from household
    left join member
        on
            household.month = member.month
            and household.household_id = member.household_id
            and household.reference_person_key = member.person_key
    left join composition
        on household.month = composition.month and household.household_id = composition.household_id
)

select * from final
