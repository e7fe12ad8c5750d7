with
household as (
    select * from {{ ref('household_month') }}
    where counted_member_count > 0 and {{ since_rebuild('month', back=6, windows=['household_history_months']) }}
),

{% for name in ['income', 'spending', 'composition', 'aid', 'occurrence'] -%}
{{ name }} as (
    select * from {{ ref('household_month_' ~ name) }}
    where {{ since_rebuild('month', back=6, windows=['household_history_months']) }}
),

{% endfor -%}

monthly as (
    select
        household.month,
        {{ month_number('household.month') }} as month_number,
        household.household_id,
        household.counted_member_count,
        income.income_yuan,
        cast(income.income_yuan * 100 as decimal(18, 0)) as income_fen,
        composition.pensioner_count,
        composition.contributing_count,
        composition.death_count,
        cast(spending.out_of_pocket_yuan as decimal(18, 2)) as out_of_pocket_yuan,
        cast(spending.highest_stay_out_of_pocket_yuan as double) as highest_stay_yuan,
        aid.temporary_paid_yuan,
        occurrence.inpatient_count,
        occurrence.chronic_count,
        occurrence.divorce_count,
        occurrence.disaster_count,
        occurrence.house_damage_level,
        occurrence.report_count,
        cast(occurrence.kwh as decimal(18, 6)) as kwh
    from household
    left join income
        on
            household.month = income.month
            and household.household_id = income.household_id
    left join spending
        on
            household.month = spending.month
            and household.household_id = spending.household_id
    left join composition
        on
            household.month = composition.month
            and household.household_id = composition.household_id
    left join aid
        on
            household.month = aid.month
            and household.household_id = aid.household_id
    left join occurrence
        on
            household.month = occurrence.month
            and household.household_id = occurrence.household_id
),

-- All windows end with the row's own month: nothing later is ever looked at.
windowed as (
    select
        *,
        -- In whole fen: what the spread of doubles comes to depends on where a window begins.
        count(income_fen) over last_6 as income_6m_count,
        sum(income_fen) over last_6 as income_6m_fen,
        sum(income_fen * income_fen) over last_6 as income_6m_square_fen,
        max(pensioner_count) over before_3 as pensioner_before_count,
        max(contributing_count) over before_6 as contributing_before_count,
        sum(out_of_pocket_yuan) over last_3 as out_of_pocket_3m_yuan,
        max(highest_stay_yuan) over year_back as highest_stay_12m_yuan,
        sum(inpatient_count) over year_back as inpatient_12m_count,
        sum(chronic_count) over year_back as chronic_12m_count,
        first_value(counted_member_count) over last_6 as member_before_count,
        sum(divorce_count) over year_back as divorce_12m_count,
        sum(disaster_count) over year_back as disaster_12m_count,
        max(house_damage_level) over year_back as house_damage_12m_level,
        sum(report_count) over year_back as report_12m_count,
        avg(kwh) over before_6 as kwh_before,
        max(case when income_yuan > 0 then month_number end) over so_far as newest_income,
        max(case when inpatient_count > 0 then month_number end) over so_far as newest_inpatient,
        max(case when death_count > 0 then month_number end) over so_far as newest_death,
        max(case when report_count > 0 then month_number end) over so_far as newest_report,
        max(case when temporary_paid_yuan > 0 then month_number end) over so_far as newest_temporary_aid
    from monthly
    window
        so_far as (partition by household_id order by month_number rows unbounded preceding),
        last_3 as (partition by household_id order by month_number range between 2 preceding and current row),
        last_6 as (partition by household_id order by month_number range between 5 preceding and current row),
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        before_3 as (partition by household_id order by month_number range between 3 preceding and 1 preceding),
        before_6 as (partition by household_id order by month_number range between 6 preceding and 1 preceding)
),

-- What is longer ago than the months read stands in the rows of before.
told_before as (
    {{ last_told_before({
        'income': 'months_since_income',
        'inpatient': 'months_since_inpatient',
        'death': 'months_since_death',
        'report': 'months_since_report',
        'temporary_aid': 'months_since_temporary_aid',
    }) }}
),

final as (
    select
        windowed.month,
        windowed.household_id,
        cast(windowed.income_6m_fen as double) / nullif(windowed.income_6m_count, 0) / 100 as income_6m_mean_yuan,
        sqrt(
            cast(
                windowed.income_6m_count * windowed.income_6m_square_fen
                - windowed.income_6m_fen * windowed.income_6m_fen as double
            )
            / nullif(windowed.income_6m_count * (windowed.income_6m_count - 1), 0)
        ) / 100 as income_6m_spread_yuan,
        cast(windowed.pensioner_before_count as integer) as pensioner_before_count,
        cast(windowed.contributing_before_count as integer) as contributing_before_count,
        cast(windowed.out_of_pocket_3m_yuan as double) as out_of_pocket_3m_yuan,
        windowed.highest_stay_12m_yuan,
        cast(windowed.inpatient_12m_count as integer) as inpatient_12m_count,
        cast(windowed.chronic_12m_count as integer) as chronic_12m_count,
        cast(windowed.member_before_count as integer) as member_before_count,
        cast(windowed.divorce_12m_count as integer) as divorce_12m_count,
        cast(windowed.disaster_12m_count as integer) as disaster_12m_count,
        cast(windowed.house_damage_12m_level as integer) as house_damage_12m_level,
        cast(windowed.report_12m_count as integer) as report_12m_count,
        cast(windowed.kwh_before as double) as kwh_before,
        cast(
            windowed.month_number - greatest(windowed.newest_income, told_before.last_income) as integer
        ) as months_since_income,
        cast(
            windowed.month_number - greatest(windowed.newest_inpatient, told_before.last_inpatient) as integer
        ) as months_since_inpatient,
        cast(
            windowed.month_number - greatest(windowed.newest_death, told_before.last_death) as integer
        ) as months_since_death,
        cast(
            windowed.month_number - greatest(windowed.newest_report, told_before.last_report) as integer
        ) as months_since_report,
        cast(
            windowed.month_number - greatest(windowed.newest_temporary_aid, told_before.last_temporary_aid) as integer
        ) as months_since_temporary_aid
    from windowed
    left join told_before
        on windowed.household_id = told_before.household_id
)

select * from final
