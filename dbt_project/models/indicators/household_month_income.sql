{%- set income_windows = ['rigid_spending_window_months', 'means_income_months', 'n08_prior_months'] -%}
with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=income_windows) }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month', windows=income_windows) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted and {{ since_rebuild('month', windows=income_windows) }}
),

income as (
    select * from {{ ref('person_month_income') }}
    where {{ since_rebuild('month', windows=income_windows) }}
),

earner as (
    select * from {{ ref('household_month_earner') }}
),

coverage as (
    select
        month,
        county_code,
        missing_income_source_count as missing_source_count,
        missing_income_sources as missing_sources,
        is_income_complete as is_complete
    from {{ ref('means_source_month') }}
),

found as (
    select
        income.month,
        income.household_id,
        sum(case when income.source = 'wage' then income.gross_yuan else 0 end) as wage_yuan,
        sum(case when income.source = 'pension' then income.gross_yuan else 0 end) as pension_yuan,
        sum(case when income.source in ('business', 'labour_service') then income.gross_yuan else 0 end)
            as business_yuan,
        sum(case when income.source = 'property' then income.gross_yuan else 0 end) as property_income_yuan,
        sum(case when income.source = 'unemployment_benefit' then income.gross_yuan else 0 end)
            as unemployment_benefit_yuan,
        sum(case when income.source = 'other' then income.gross_yuan else 0 end) as other_income_yuan,
        sum(income.gross_yuan - income.counted_yuan) as work_cost_deduction_yuan,
        sum(income.counted_yuan) as income_yuan,
        count(distinct case when income.is_work or income.source = 'business' then income.person_key end)
            as earner_count
    from income
    inner join member
        on
            income.month = member.month
            and income.person_key = member.person_key
    group by income.month, income.household_id
),

monthly as (
    select
        household.month,
        month.month_number,
        household.household_id,
        household.counted_member_count,
        coalesce(found.wage_yuan, 0) as wage_yuan,
        coalesce(found.pension_yuan, 0) as pension_yuan,
        coalesce(found.business_yuan, 0) as business_yuan,
        coalesce(found.property_income_yuan, 0) as property_income_yuan,
        coalesce(found.unemployment_benefit_yuan, 0) as unemployment_benefit_yuan,
        coalesce(found.other_income_yuan, 0) as other_income_yuan,
        coalesce(found.work_cost_deduction_yuan, 0) as work_cost_deduction_yuan,
        coalesce(found.income_yuan, 0) as income_yuan,
        case
            when household.counted_member_count > 0
                then cast(coalesce(found.income_yuan, 0) as double) / household.counted_member_count
        end as income_pc_yuan,
        coalesce(found.earner_count, 0) as earner_count,
        coverage.missing_source_count,
        coverage.missing_sources,
        coverage.is_complete,
        -- Windows see only the months that all sources speak of.
        case when coverage.is_complete then coalesce(found.income_yuan, 0) end as known_income_yuan,
        -- What comes in because an income stopped must not hide that it stopped.
        coalesce(found.income_yuan, 0) - coalesce(found.unemployment_benefit_yuan, 0) as regular_income_yuan
    from household
    inner join month
        on household.month = month.month
    inner join coverage
        on
            household.month = coverage.month
            and household.county_code = coverage.county_code
    left join found
        on
            household.month = found.month
            and household.household_id = found.household_id
),

windowed as (
    select
        *,
        sum(known_income_yuan) over year_back as income_12m_yuan,
        count(known_income_yuan) over year_back as observed_12m_count,
        {{ mean_over('known_income_yuan', 'quarter_back') }} as income_3m_mean_yuan,
        min(case when is_complete then income_pc_yuan end) over quarter_back as income_pc_3m_min_yuan,
        count(known_income_yuan) over quarter_back as observed_3m_count,
        {{ mean_over('known_income_yuan', 'half_year_before') }} as income_prior_6m_mean_yuan,
        {{ mean_over('case when is_complete then regular_income_yuan end', 'half_year_before') }}
            as regular_income_prior_6m_mean_yuan,
        count(known_income_yuan) over half_year_before as observed_prior_6m_count
    from monthly
    window
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('rigid_spending_window_months') }} preceding and current row
        ),
        quarter_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('means_income_months') }} preceding and current row
        ),
        half_year_before as (
            partition by household_id
            order by month_number
            range between {{ months_of_window('n08_prior_months') }} preceding and 1 preceding
        )
),

final as (
    select
        windowed.month,
        windowed.household_id,
        windowed.counted_member_count,
        {{ yuan('windowed.wage_yuan') }} as wage_yuan,
        {{ yuan('windowed.pension_yuan') }} as pension_yuan,
        {{ yuan('windowed.business_yuan') }} as business_yuan,
        {{ yuan('windowed.property_income_yuan') }} as property_income_yuan,
        {{ yuan('windowed.unemployment_benefit_yuan') }} as unemployment_benefit_yuan,
        {{ yuan('windowed.other_income_yuan') }} as other_income_yuan,
        {{ yuan('windowed.work_cost_deduction_yuan') }} as work_cost_deduction_yuan,
        {{ yuan('windowed.income_yuan') }} as income_yuan,
        {{ yuan('windowed.income_pc_yuan') }} as income_pc_yuan,
        {{ yuan('windowed.income_12m_yuan') }} as income_12m_yuan,
        cast(windowed.observed_12m_count as integer) as observed_12m_count,
        {{ yuan('windowed.income_3m_mean_yuan') }} as income_3m_mean_yuan,
        {{ yuan('windowed.income_pc_3m_min_yuan') }} as income_pc_3m_min_yuan,
        cast(windowed.observed_3m_count as integer) as observed_3m_count,
        {{ yuan('windowed.income_prior_6m_mean_yuan') }} as income_prior_6m_mean_yuan,
        cast(windowed.observed_prior_6m_count as integer) as observed_prior_6m_count,
        {{ yuan('windowed.regular_income_yuan') }} as regular_income_yuan,
        {{ yuan('windowed.regular_income_prior_6m_mean_yuan') }} as regular_income_prior_6m_mean_yuan,
        case
            when windowed.is_complete and windowed.regular_income_prior_6m_mean_yuan > 0
                then
                    cast(windowed.regular_income_yuan as double)
                    / cast(windowed.regular_income_prior_6m_mean_yuan as double)
        end as income_to_prior_ratio,
        cast(windowed.earner_count as integer) as earner_count,
        windowed.missing_source_count,
        windowed.missing_sources,
        windowed.is_complete,
        earner.main_earner_key,
        earner.main_earner_mean_yuan,
        earner.main_earner_share_ratio,
        coalesce(earner.prior_earner_count, 0) as prior_earner_count
    from windowed
    left join earner
        on
            windowed.month = earner.month
            and windowed.household_id = earner.household_id
)

select * from final
