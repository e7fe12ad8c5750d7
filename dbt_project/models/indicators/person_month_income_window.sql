with
income as (
    select * from {{ ref('person_month_means') }}
    where kind = 'income' and {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

place as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

source as (
    select * from {{ ref('means_source_month') }}
),

-- Who lives in no household of the city is known where all counties are.
city as (
    select
        month,
        bool_and(is_income_complete) as is_income_complete
    from source
    group by month
),

earner as (
    select distinct person_key from income
),

resident as (
    select
        person_key,
        min(known_from) as since_month
    from {{ ref('household_member') }}
    where known_from < known_to
    group by person_key
),

monthly as (
    select
        month,
        person_key,
        sum(counted_yuan) as counted_yuan,
        sum(gross_yuan) as gross_yuan
    from income
    where known_month <= month
    group by month, person_key
),

-- Months in which somebody was not yet, or no longer, of the city tell nothing of the income then.
spine as (
    select
        month.month,
        month.month_number,
        earner.person_key,
        -- Whoever comes to live here later was of no household of the city as far as was known before.
        coalesce(month.month >= resident.since_month, false) as is_resident,
        coalesce(
            source.is_income_complete,
            coalesce(month.month < resident.since_month, true) and city.is_income_complete
        ) as is_observed,
        coalesce(monthly.counted_yuan, 0) as counted_yuan,
        coalesce(monthly.gross_yuan, 0) as gross_yuan
    from earner
    cross join month
    inner join city
        on month.month = city.month
    left join resident
        on earner.person_key = resident.person_key
    left join member
        on
            month.month = member.month
            and earner.person_key = member.person_key
    left join place
        on
            member.month = place.month
            and member.household_id = place.household_id
    left join source
        on
            place.month = source.month
            and place.county_code = source.county_code
    left join monthly
        on
            month.month = monthly.month
            and earner.person_key = monthly.person_key
),

windowed as (
    select
        month,
        month_number,
        person_key,
        sum(case when is_observed then counted_yuan end) over income_window as income_yuan,
        sum(case when is_observed then gross_yuan end) over income_window as gross_yuan,
        count(case when is_observed then 1 end) over income_window as observed_count,
        sum(case when is_observed then counted_yuan end) over year_back as income_12m_yuan,
        count(case when is_observed then 1 end) over year_back as observed_12m_count
    from spine
    window
        income_window as (
            partition by person_key, is_resident
            order by month_number
            range between {{ months_before('means_income_months') }} preceding and current row
        ),
        year_back as (
            partition by person_key, is_resident
            order by month_number
            range between {{ months_before('rigid_spending_window_months') }} preceding and current row
        )
),

-- Income of a month told by a later delivery counts from then on, as long as its month is in the window.
late as (
    select
        spine.month,
        spine.person_key,
        sum(
            case
                when {{ months_between('income.month', 'spine.month') }} <= {{ months_before('means_income_months') }}
                    then income.counted_yuan
            end
        ) as income_yuan,
        sum(
            case
                when {{ months_between('income.month', 'spine.month') }} <= {{ months_before('means_income_months') }}
                    then income.gross_yuan
            end
        ) as gross_yuan,
        sum(income.counted_yuan) as income_12m_yuan
    from income
    inner join spine as told
        on
            income.month = told.month
            and income.person_key = told.person_key
            and told.is_observed
    inner join spine
        on
            income.person_key = spine.person_key
            and told.is_resident = spine.is_resident
            and income.known_month <= spine.month
            and {{ months_between('income.month', 'spine.month') }}
            <= {{ months_before('rigid_spending_window_months') }}
    where income.known_month > income.month
    group by spine.month, spine.person_key
),

final as (
    select
        windowed.month,
        windowed.person_key,
        {{ as_decimal(
            'cast(coalesce(windowed.income_yuan, 0) + coalesce(late.income_yuan, 0) as double)'
            ~ ' / nullif(windowed.observed_count, 0)', 18, 6
        ) }} as income_mean_yuan,
        {{ as_decimal(
            'cast(coalesce(windowed.gross_yuan, 0) + coalesce(late.gross_yuan, 0) as double)'
            ~ ' / nullif(windowed.observed_count, 0)', 18, 6
        ) }} as gross_mean_yuan,
        cast(windowed.observed_count as integer) as observed_count,
        {{ yuan('coalesce(windowed.income_12m_yuan, 0) + coalesce(late.income_12m_yuan, 0)') }} as income_12m_yuan,
        cast(windowed.observed_12m_count as integer) as observed_12m_count
    from windowed
    left join late
        on
            windowed.month = late.month
            and windowed.person_key = late.person_key
    where coalesce(windowed.income_12m_yuan, 0) + coalesce(late.income_12m_yuan, 0) <> 0
)

select * from final
