with
household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
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

lasting as (
    {{ policy_parameter('n08_months') }}
),

standing as (
    {{ policy_parameter('event_standing_months') }}
),

-- What comes in every month is what can break away: a single declared fee is no income to lose. What has come
-- instead counts whatever its kind, but for the unemployment benefit, which is there because of the loss.
told as (
    select
        month,
        household_id,
        main_earner_key,
        wage_yuan + pension_yuan as regular_yuan,
        wage_yuan + pension_yuan + business_yuan + property_income_yuan + other_income_yuan as current_yuan,
        missing_sources like '%income_tax%' or missing_sources like '%pension%' as is_untold
    from {{ ref('household_month_income') }}
),

-- A month that the sources do not speak of is no month without income: it is neither in the mean nor a bad month.
usual as (
    select
        *,
        {{ mean_over('case when not is_untold then regular_yuan end', 'months_before_it') }} as usual_yuan,
        {{ value_at_max('regular_yuan', 'case when not is_untold then month end') }} over months_before_it
            as last_yuan,
        count(case when not is_untold then 1 end) over months_before_it as usual_count
    from told
    window
        months_before_it as (
            partition by household_id
            order by month
            rows between {{ months_of_window('n08_prior_months') }} preceding and 1 preceding
        )
),

-- The month in which it broke away: in the one told before it, income was still there. A single bad month further back
-- lowers the mean and silences nothing.
start as (
    select
        usual.household_id,
        usual.month as start_month,
        usual.main_earner_key,
        usual.usual_yuan,
        usual.usual_count,
        drop_line.value as drop_ratio,
        steep.value as steep_ratio,
        lasting.value as lasting_months,
        standing.value as standing_months
    from usual
    inner join household on usual.month = household.month and usual.household_id = household.household_id
    inner join drop_line on household.month = drop_line.month and household.county_code = drop_line.county_code
    inner join steep on household.month = steep.month and household.county_code = steep.county_code
    inner join observed on household.month = observed.month and household.county_code = observed.county_code
    inner join lasting on household.month = lasting.month and household.county_code = lasting.county_code
    inner join standing
        on
            household.month = standing.month
            and household.county_code = standing.county_code
            and standing.dimension_key = 'N08'
    where
        usual.usual_count >= observed.value
        and usual.last_yuan > usual.usual_yuan * (1 - drop_line.value)
        and usual.current_yuan <= usual.usual_yuan * (1 - drop_line.value)
        and not usual.is_untold
),

followed as (
    select
        start.*,
        told.month,
        told.is_untold,
        max(told.current_yuan) over (
            partition by start.household_id, start.start_month
            order by told.month
        ) as best_yuan
    from start
    inner join told
        on
            start.household_id = told.household_id
            and start.start_month <= told.month
            and {{ months_between('start.start_month', 'told.month') }} < start.standing_months
),

fallen as (
    select *
    from followed
    where
        {{ months_between('start_month', 'month') }} + 1 >= lasting_months
        and best_yuan <= usual_yuan * (1 - drop_ratio)
        and not is_untold
),

earned as (
    select * from {{ ref('person_month_income') }}
    where source in ('wage', 'pension')
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

-- Measured again by those who still belong to the household, the dead and detained included: a grown-up child who
-- has moved out took the income along.
measured as (
    select
        fallen.month,
        fallen.household_id,
        fallen.start_month,
        max(fallen.main_earner_key) as person_key,
        max(fallen.best_yuan) as best_yuan,
        max(fallen.drop_ratio) as drop_ratio,
        max(fallen.steep_ratio) as steep_ratio,
        cast(sum(earned.gross_yuan) as double) / max(fallen.usual_count) as usual_yuan,
        {{ evidence_list('earned.delivery_id', 'earned.row_number') }} as evidence
    from fallen
    inner join member on fallen.month = member.month and fallen.household_id = member.household_id
    inner join earned
        on
            member.person_key = earned.person_key
            and fallen.start_month > earned.month
            and earned.month >= {{ window_back('fallen.start_month', 'n08_prior_months') }}
    inner join told
        on
            fallen.household_id = told.household_id
            and earned.month = told.month
            and not told.is_untold
    group by fallen.month, fallen.household_id, fallen.start_month
),

final as (
    select
        month,
        'N08' as indicator,
        household_id,
        {{ value_at_max('person_key', 'start_month') }} as person_key,
        case
            when max(case when best_yuan <= usual_yuan * (1 - steep_ratio) then 1 else 0 end) = 1 then 'orange'
        end as level,
        max(1 - best_yuan / usual_yuan) as value,
        max(drop_ratio) as threshold,
        {{ evidence_union('evidence') }} as evidence
    from measured
    where best_yuan <= usual_yuan * (1 - drop_ratio)
    group by month, household_id
)

select * from final
