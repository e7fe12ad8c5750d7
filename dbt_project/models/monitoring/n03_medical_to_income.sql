with
household as (
    select * from {{ ref('household_month') }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
),

disposable as (
    {{ policy_parameter('disposable_income_pc') }}
),

line as (
    {{ policy_parameter('n03_disposable_income_ratio') }}
),

over_line as (
    select
        household.month,
        household.household_id,
        spending.top_spender_key as person_key,
        cast(spending.top_spender_12m_yuan as double) / disposable.value as value,
        line.value as threshold
    from household
    inner join spending on household.month = spending.month and household.household_id = spending.household_id
    inner join disposable
        on
            household.month = disposable.month
            and household.county_code = disposable.county_code
            and household.area_type = disposable.dimension_key
    inner join line
        on
            household.month = line.month
            and household.county_code = line.county_code
            and household.register_layer = line.dimension_key
    where spending.top_spender_12m_yuan >= disposable.value * line.value
),

settlement as (
    {{ medical_evidence('over_line', of_person=true) }}
),

final as (
    select
        over_line.month,
        'N03' as indicator,
        over_line.household_id,
        over_line.person_key,
        cast(null as string) as level,
        over_line.value,
        over_line.threshold,
        settlement.evidence
    from over_line
    inner join settlement
        on over_line.month = settlement.month and over_line.household_id = settlement.household_id
)

select * from final
