with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select * from {{ ref('household_month') }}
),

majority as (
    {{ policy_parameter('majority_age') }}
),

grown_up as (
    select
        member.month,
        member.household_id,
        count(*) as grown_up_count,
        -- Of the generation between the head and the grandchildren.
        sum(case when member.role = 'child' then 1 else 0 end) as middle_count
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join majority on household.month = majority.month and household.county_code = majority.county_code
    where member.age_years >= majority.value
    group by member.month, member.household_id
),

final as (
    select
        member.month,
        member.household_id,
        member.person_key,
        member.role,
        member.sex,
        member.age_years,
        household.village_code,
        household.township_code,
        household.county_code,
        household.area_type,
        household.assistance_layer,
        household.register_layer,
        household.certificate_no,
        coalesce(grown_up.grown_up_count, 0) as grown_up_count,
        coalesce(grown_up.middle_count, 0) as middle_count
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join majority on household.month = majority.month and household.county_code = majority.county_code
    left join grown_up on member.month = grown_up.month and member.household_id = grown_up.household_id
    where member.age_years < majority.value
)

select * from final
