with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

school as (
    select * from {{ ref('person_school') }}
    where status = '3'
),

first_age as (
    {{ policy_parameter('compulsory_school_age') }}
),

last_age as (
    {{ policy_parameter('compulsory_school_age') }}
),

final as (
    select
        member.month,
        'N22' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        member.age_years as value,
        last_age.value as threshold,
        {{ evidence_list('school.delivery_id', 'school.row_number') }} as evidence
    from school
    inner join member on school.person_key = member.person_key and {{ in_force('member.month', 'school') }}
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join first_age
        on
            household.month = first_age.month
            and household.county_code = first_age.county_code
            and first_age.dimension_key = 'first'
    inner join last_age
        on
            household.month = last_age.month
            and household.county_code = last_age.county_code
            and last_age.dimension_key = 'last'
    where member.age_years between first_age.value and last_age.value
    group by member.month, member.household_id, member.person_key, member.age_years, last_age.value
)

select * from final
