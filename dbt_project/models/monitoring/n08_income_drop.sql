with
household as (
    select * from {{ ref('household_month') }}
),

income as (
    select
        *,
        lag(month) over (partition by household_id order by month) as before_month,
        lag(income_yuan) over (partition by household_id order by month) as before_income_yuan,
        lag(income_prior_6m_mean_yuan) over (partition by household_id order by month) as usual_yuan,
        lag(observed_prior_6m_count) over (partition by household_id order by month) as usual_month_count,
        lag(wage_feed_missing) over (partition by household_id order by month) as before_wage_feed_missing
    from (
        select
            *,
            missing_sources like '%income_tax%' or missing_sources like '%pension%' as wage_feed_missing
        from {{ ref('household_month_income') }}
    ) as told
),

drop_line as (
    {{ policy_parameter('n08_drop_ratio') }}
),

steep as (
    {{ policy_parameter('n08_steep_drop_ratio') }}
),

observed as (
    {{ policy_parameter('n08_observed_months') }}
),

dropped as (
    select
        household.month,
        household.household_id,
        coalesce(income.main_earner_key, household.reference_person_key) as person_key,
        -- Of the two months the better one decides.
        1 - greatest(income.income_yuan, income.before_income_yuan) / income.usual_yuan as value,
        drop_line.value as threshold,
        steep.value as steep
    from household
    inner join income on household.month = income.month and household.household_id = income.household_id
    inner join drop_line on household.month = drop_line.month and household.county_code = drop_line.county_code
    inner join steep on household.month = steep.month and household.county_code = steep.county_code
    inner join observed on household.month = observed.month and household.county_code = observed.county_code
    where
        income.before_month = {{ add_months('income.month', -1) }}
        and income.usual_yuan > 0
        and income.usual_month_count >= observed.value
        and not coalesce(income.wage_feed_missing, false)
        and not coalesce(income.before_wage_feed_missing, false)
        and greatest(income.income_yuan, income.before_income_yuan) <= income.usual_yuan * (1 - drop_line.value)
),

earned as (
    select * from {{ ref('person_month_income') }}
),

-- The last incomes from before the drop are what it is measured by.
evidence as (
    select
        dropped.month,
        dropped.household_id,
        {{ evidence_list('earned.delivery_id', 'earned.row_number') }} as evidence
    from dropped
    inner join earned
        on
            dropped.household_id = earned.household_id
            and earned.month < {{ add_months('dropped.month', -1) }}
            and earned.month >= {{ add_months('dropped.month', -7) }}
    group by dropped.month, dropped.household_id
),

final as (
    select
        dropped.month,
        'N08' as indicator,
        dropped.household_id,
        dropped.person_key,
        case when dropped.value >= dropped.steep then 'orange' end as level,
        dropped.value,
        dropped.threshold,
        evidence.evidence
    from dropped
    inner join evidence on dropped.month = evidence.month and dropped.household_id = evidence.household_id
)

select * from final
