with
household as (
    select * from {{ ref('household_month') }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

school as (
    select * from {{ ref('person_school') }}
    where status = '1' and annual_tuition_yuan > 0
),

line as (
    {{ policy_parameter('n04_tuition_line') }}
),

final as (
    select
        household.month,
        'N04' as indicator,
        household.household_id,
        {{ value_at_max('member.person_key', 'school.annual_tuition_yuan') }} as person_key,
        cast(null as string) as level,
        max(spending.tuition_school_year_yuan) as value,
        max(line.value) as threshold,
        {{ evidence_list('school.delivery_id', 'school.row_number') }} as evidence
    from household
    inner join spending on household.month = spending.month and household.household_id = spending.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join member on household.month = member.month and household.household_id = member.household_id
    inner join school on member.person_key = school.person_key and {{ in_force('member.month', 'school') }}
    where spending.tuition_school_year_yuan > line.value
    group by household.month, household.household_id
)

select * from final
