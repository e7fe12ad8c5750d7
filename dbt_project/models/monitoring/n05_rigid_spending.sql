with
household as (
    select * from {{ ref('household_month') }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
),

income as (
    select * from {{ ref('household_month_income') }}
),

line as (
    {{ policy_parameter('n05_rigid_spending_ratio') }}
),

observed as (
    {{ policy_parameter('n05_observed_months') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

-- Feeds do not tell of fields, odd jobs or help by relatives: nobody is taken to have lived on less than the dibao
-- standard, so that income unseen is not taken for income missing.
lived_on as (
    select
        household.month,
        household.household_id,
        greatest(
            income.income_12m_yuan,
            standard.value * income.observed_12m_count * income.counted_member_count
        ) as income_yuan
    from household
    inner join income on household.month = income.month and household.household_id = income.household_id
    inner join standard
        on
            household.month = standard.month
            and household.county_code = standard.county_code
            and household.area_type = standard.dimension_key
    where income.counted_member_count > 0
),

over_line as (
    select
        household.month,
        household.household_id,
        spending.top_spender_key as person_key,
        cast(spending.rigid_spending_12m_yuan as double) / lived_on.income_yuan as value,
        line.value as threshold
    from household
    inner join spending on household.month = spending.month and household.household_id = spending.household_id
    inner join income on household.month = income.month and household.household_id = income.household_id
    inner join lived_on on household.month = lived_on.month and household.household_id = lived_on.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join observed on household.month = observed.month and household.county_code = observed.county_code
    where
        income.observed_12m_count >= observed.value
        and spending.rigid_spending_12m_yuan >= lived_on.income_yuan * line.value
),

medical as (
    {{ medical_evidence('over_line') }}
),

school as (
    select
        over_line.month,
        over_line.household_id,
        {{ evidence_list('school.delivery_id', 'school.row_number') }} as evidence
    from over_line
    inner join {{ ref('household_member_month') }} as member
        on over_line.month = member.month and over_line.household_id = member.household_id
    inner join {{ ref('person_school') }} as school
        on member.person_key = school.person_key and {{ in_force('member.month', 'school') }}
    where school.annual_tuition_yuan > 0
    group by over_line.month, over_line.household_id
),

spent as (
    select * from medical
    union all
    select * from school
),

evidence as (
    select month, household_id, {{ evidence_union('evidence') }} as evidence
    from spent
    group by month, household_id
),

final as (
    select
        over_line.month,
        'N05' as indicator,
        over_line.household_id,
        over_line.person_key,
        cast(null as string) as level,
        over_line.value,
        over_line.threshold,
        evidence.evidence
    from over_line
    inner join evidence on over_line.month = evidence.month and over_line.household_id = evidence.household_id
)

select * from final
