with
source as (
    select * from {{ ref('source_month') }}
),

needed as (
    {{ means_source() }}
),

-- A feed that never came is a source this county does not have; one that came before and not now is missing.
coverage as (
    select
        source.month,
        source.county_code,
        cast(count(*) filter (where needed.kind = 'income' and not source.is_covered) as integer)
            as missing_income_source_count,
        coalesce(
            {{ text_list("case when needed.kind = 'income' and not source.is_covered then source.feed end") }}, ''
        ) as missing_income_sources,
        coalesce({{ text_list('case when not source.is_covered then source.feed end') }}, '') as missing_sources,
        count(*) filter (where needed.kind = 'income' and source.has_ever_come and not source.is_covered) = 0
        and count(*) filter (where needed.is_leading and source.has_ever_come) > 0 as is_income_complete,
        count(*) filter (where needed.kind = 'property' and source.has_ever_come and not source.is_covered) = 0
        and count(*) filter (where needed.kind = 'property' and source.has_ever_come) > 0 as is_property_complete,
        bool_or(source.feed = 'medical_settlement' and source.is_covered) as is_medical_covered
    from source
    inner join needed
        on source.feed = needed.feed
    group by source.month, source.county_code
),

windowed as (
    select
        *,
        count(case when is_income_complete then 1 end) over income_window as income_observed_count,
        count(case when is_income_complete then 1 end) over year_back as income_observed_12m_count,
        count(*) over year_back as month_12m_count,
        count(case when is_medical_covered then 1 end) over year_back as medical_observed_12m_count
    from coverage
    window
        income_window as (
            partition by county_code
            order by {{ month_number('month') }}
            range between {{ months_before('means_income_months') }} preceding and current row
        ),
        year_back as (
            partition by county_code
            order by {{ month_number('month') }}
            range between {{ months_before('rigid_spending_window_months') }} preceding and current row
        )
),

final as (
    select
        month,
        county_code,
        missing_income_source_count,
        missing_income_sources,
        missing_sources,
        is_income_complete,
        is_property_complete,
        cast(income_observed_count as integer) as income_observed_count,
        cast(income_observed_12m_count as integer) as income_observed_12m_count,
        cast(month_12m_count as integer) as month_12m_count,
        cast(medical_observed_12m_count as integer) as medical_observed_12m_count
    from windowed
)

select * from final
