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

disposable as (
    {{ policy_parameter('disposable_income_pc') }}
),

over_line as (
    select
        household.month,
        household.household_id,
        spending.top_spender_key as person_key,
        spending.rigid_spending_12m_yuan / income.income_12m_yuan as value,
        line.value as threshold
    from household
    inner join spending on household.month = spending.month and household.household_id = spending.household_id
    inner join income on household.month = income.month and household.household_id = income.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join observed on household.month = observed.month and household.county_code = observed.county_code
    inner join disposable
        on
            household.month = disposable.month
            and household.county_code = disposable.county_code
            and household.area_type = disposable.dimension_key
    where
        -- Without any income found the ratio says only that no feed tells of it.
        income.income_12m_yuan > 0
        and income.observed_12m_count >= observed.value
        and spending.rigid_spending_12m_yuan >= income.income_12m_yuan * line.value
        -- Income per head of a year, from the months observed, against last year's disposable income.
        and income.income_12m_yuan * 12 < disposable.value * income.observed_12m_count * income.counted_member_count
),

settlement as (
    {{ medical_evidence('over_line') }}
),

final as (
    select
        over_line.month,
        'N05' as indicator,
        over_line.household_id,
        over_line.person_key,
        cast(null as varchar) as level,
        over_line.value,
        over_line.threshold,
        settlement.evidence
    from over_line
    inner join settlement
        on over_line.month = settlement.month and over_line.household_id = settlement.household_id
)

select * from final
