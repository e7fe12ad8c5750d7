with
household as (
    select * from {{ ref('household_month') }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
),

line as (
    {{ policy_parameter('n01_medical_line') }}
),

red as (
    {{ policy_parameter('n01_red_multiple') }}
),

over_line as (
    select
        household.month,
        household.household_id,
        spending.top_spender_key as person_key,
        case when spending.out_of_pocket_12m_yuan >= line.value * red.value then 'red' end as level,
        spending.out_of_pocket_12m_yuan as value,
        line.value as threshold
    from household
    inner join spending on household.month = spending.month and household.household_id = spending.household_id
    inner join line
        on
            household.month = line.month
            and household.county_code = line.county_code
            and household.register_layer = line.dimension_key
    inner join red on household.month = red.month and household.county_code = red.county_code
    where spending.out_of_pocket_12m_yuan > line.value
),

settlement as (
    {{ medical_evidence('over_line') }}
),

final as (
    select
        over_line.month,
        'N01' as indicator,
        over_line.household_id,
        over_line.person_key,
        over_line.level,
        over_line.value,
        over_line.threshold,
        settlement.evidence
    from over_line
    inner join settlement
        on over_line.month = settlement.month and over_line.household_id = settlement.household_id
)

select * from final
