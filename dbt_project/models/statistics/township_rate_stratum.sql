with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }} and counted_member_count > 0
),

income as (
    select
        month,
        household_id,
        income_3m_mean_yuan,
        observed_3m_count
    from {{ ref('household_month_income') }}
    where {{ since_rebuild('month') }}
),

composition as (
    select
        month,
        household_id,
        disabled_count,
        severely_disabled_count,
        working_age_count
    from {{ ref('household_month_composition') }}
    where {{ since_rebuild('month') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

-- The bands side by side, one row a month.
band as (
    select
        month,
        max(case when dimension_key = 'below_standard' then value end) as below_standard,
        max(case when dimension_key = 'marginal' then value end) as marginal,
        max(case when dimension_key = 'low' then value end) as low
    from ({{ city_policy('outlier_income_band') }}) as bands
    group by month
),

window_months as (
    {{ city_policy('outlier_window_months') }}
),

-- Of the window, and of the month before that: who was there then and is no more has left.
certificate as (
    select * from {{ ref('register_household_month') }}
    where {{ since_rebuild('month', windows=['outlier_window_months']) }} and is_household
),

person as (
    select
        month,
        person_key,
        is_counted
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['outlier_window_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
),

described as (
    select
        household.month,
        household.township_code,
        household.assistance_layer,
        household.area_type,
        case
            when coalesce(income.observed_3m_count, 0) = 0 then 'unknown'
            when income.income_3m_mean_yuan < band.below_standard * standard.value * household.counted_member_count
                then 'below_standard'
            when income.income_3m_mean_yuan < band.marginal * standard.value * household.counted_member_count
                then 'marginal'
            when income.income_3m_mean_yuan < band.low * standard.value * household.counted_member_count then 'low'
            else 'other'
        end as income_band,
        case
            when composition.severely_disabled_count > 0 then 'severe'
            when composition.disabled_count > 0 then 'disabled'
            else 'none'
        end as disability,
        case when composition.working_age_count > 0 then 'workers' else 'no_workers' end as working_age
    from household
    inner join composition
        on household.month = composition.month and household.household_id = composition.household_id
    inner join band on household.month = band.month
    left join income on household.month = income.month and household.household_id = income.household_id
    left join standard
        on
            household.month = standard.month
            and household.county_code = standard.county_code
            and household.area_type = standard.dimension_key
),

on_register as (
    select
        'register_share' as measure,
        month,
        township_code,
        concat_ws(' ', income_band, disability, working_age, area_type) as stratum,
        count(*) as exposure,
        sum(case when assistance_layer <> 'none' then 1 else 0 end) as observed
    from described
    group by month, township_code, concat_ws(' ', income_band, disability, working_age, area_type)
),

-- Certificates of the month before, and which of them are no more. Who died or is gone did not leave by a decision.
exit_event as (
    select
        {{ add_months('before.month', 1) }} as month,
        {{ area_on('township', 'before.village_code') }} as township_code,
        concat_ws(' ', before.layer, before.review_class, before.area_type) as stratum,
        case when certificate.certificate_no is null then 1 else 0 end as is_event
    from certificate as before
    inner join month on {{ add_months('before.month', 1) }} = month.month
    left join certificate
        on
            before.certificate_no = certificate.certificate_no
            and certificate.month = {{ add_months('before.month', 1) }}
    left join person
        on
            before.applicant_key = person.person_key
            and person.month = {{ add_months('before.month', 1) }}
    where certificate.certificate_no is not null or coalesce(person.is_counted, false)
),

-- Visits with a finding, by what they found.
finding as (
    select
        month,
        {{ area_on('township', 'village_code') }} as township_code,
        concat_ws(' ', cause, side) as stratum,
        case when finding in {{ confirmed_findings() }} then 1 else 0 end as is_confirmed,
        case when finding = 'enrolled' then 1 else 0 end as is_enrolled,
        case when finding = 'not_eligible' then 1 else 0 end as is_refused
    from {{ ref('visit_month') }}
    where
        {{ since_rebuild('month', windows=['outlier_window_months']) }}
        and household_id is not null
        and finding <> 'not_reached'
),

event as (
    select
        'exit_rate' as measure,
        month,
        township_code,
        stratum,
        is_event
    from exit_event
    union all
    select
        'confirm_rate' as measure,
        month,
        township_code,
        stratum,
        is_confirmed as is_event
    from finding
    union all
    select
        'enrol_rate' as measure,
        month,
        township_code,
        stratum,
        is_enrolled as is_event
    from finding
    union all
    select
        'refusal_rate' as measure,
        month,
        township_code,
        stratum,
        is_refused as is_event
    from finding
),

event_month as (
    select
        measure,
        month,
        township_code,
        stratum,
        count(*) as exposure,
        sum(is_event) as observed
    from event
    group by measure, month, township_code, stratum
),

-- Events are few in a month: those of the window up to the month are taken together.
windowed as (
    select
        event_month.measure,
        month.month,
        event_month.township_code,
        event_month.stratum,
        sum(event_month.exposure) as exposure,
        sum(event_month.observed) as observed
    from month
    inner join window_months on month.month = window_months.month
    inner join event_month
        on
            month.month >= event_month.month
            and {{ months_between('event_month.month', 'month.month') }} < window_months.value
    where {{ since_rebuild('month.month') }}
    group by event_month.measure, month.month, event_month.township_code, event_month.stratum
),

overdue as (
    select
        'overdue_rate' as measure,
        month,
        {{ area_on('township', 'village_code') }} as township_code,
        concat_ws(
            ' ', side, level, cast(least({{ months_between('first_month', 'month') }}, 2) as string)
        ) as stratum,
        count(*) as exposure,
        sum(case when is_overdue then 1 else 0 end) as observed
    from {{ ref('alert_stand_month') }}
    where {{ since_rebuild('month') }} and is_listed
    group by
        month,
        {{ area_on('township', 'village_code') }},
        concat_ws(' ', side, level, cast(least({{ months_between('first_month', 'month') }}, 2) as string))
),

told as (
    select * from on_register
    union all
    select * from windowed
    union all
    select * from overdue
),

-- Townships of the list alone: what has no place is compared with nothing.
final as (
    select
        told.measure,
        told.month,
        told.township_code,
        told.stratum,
        cast(told.exposure as integer) as exposure,
        cast(told.observed as integer) as observed
    from told
    inner join {{ source('reference', 'division') }} as division
        on division.level = 'township' and told.township_code = division.township_code
)

select * from final
