{%- set decided_before = months_before('application_decision_months') | int + 1 -%}

with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

take_up as (
    select * from {{ ref('household_month_take_up') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

purpose as (
    {{ city_policy('check_purpose_layer') }}
),

-- A visit that took the household in is no feature: it is what is to be foretold.
visit as (
    select
        greatest(known_month, {{ month_of('visited_on') }}) as month,
        household_id,
        count(*) as visit_count,
        sum(case when outcome in ('2', '3') then 1 else 0 end) as hardship_count,
        sum(case when outcome in ('4', '5') then 1 else 0 end) as unentitled_count
    from {{ ref('person_visit') }}
    where household_id is not null and outcome <> '1'
    group by greatest(known_month, {{ month_of('visited_on') }}), household_id
),

answered as (
    select
        greatest(known_month, {{ month_of('visited_on') }}) as month,
        household_id,
        count(distinct report_no) as answered_count
    from {{ ref('person_visit') }}
    where household_id is not null and report_no is not null
    group by greatest(known_month, {{ month_of('visited_on') }}), household_id
),

request as (
    select
        greatest(request.known_month, {{ month_of('request.requested_on') }}) as month,
        request.person_key,
        request.request_no,
        coalesce(purpose.value_text, '') as layer
    from {{ ref('person_check_request') }} as request
    left join purpose
        on
            request.known_month = purpose.month
            and request.purpose = purpose.dimension_key
    -- A review speaks of those on the register.
    where request.person_key = request.applicant_key and request.purpose <> '6'
),

requested as (
    select
        request.month,
        member.household_id,
        count(distinct case when request.layer <> '' then request.request_no end) as application_count,
        count(distinct case when request.layer = '' then request.request_no end) as other_check_count
    from request
    inner join member
        on
            request.month = member.month
            and request.person_key = member.person_key
    group by request.month, member.household_id
),

monthly as (
    select
        household.month,
        {{ month_number('household.month') }} as month_number,
        household.household_id,
        take_up.months_since_assistance,
        coalesce(visit.visit_count, 0) as visit_count,
        coalesce(visit.hardship_count, 0) as hardship_count,
        coalesce(visit.unentitled_count, 0) as unentitled_count,
        coalesce(answered.answered_count, 0) as answered_count,
        coalesce(requested.application_count, 0) as application_count,
        coalesce(requested.other_check_count, 0) as other_check_count
    from household
    left join take_up
        on
            household.month = take_up.month
            and household.household_id = take_up.household_id
    left join visit
        on
            household.month = visit.month
            and household.household_id = visit.household_id
    left join answered
        on
            household.month = answered.month
            and household.household_id = answered.household_id
    left join requested
        on
            household.month = requested.month
            and household.household_id = requested.household_id
),

-- An application without an answer yet is no feature: those households have asked. Only after the time a decision takes
-- does one that led to nothing count, as refused.
windowed as (
    select
        *,
        sum(visit_count) over year_back as visit_12m_count,
        sum(hardship_count) over year_back as hardship_12m_count,
        sum(unentitled_count) over year_back as unentitled_12m_count,
        sum(answered_count) over year_back as answered_12m_count,
        sum(other_check_count) over year_back as other_check_12m_count,
        max(case when visit_count > 0 then month_number end) over so_far as newest_visit,
        max(case when application_count > 0 then month_number end) over decided as newest_application
    from monthly
    window
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        so_far as (
            partition by household_id
            order by month_number
            rows unbounded preceding
        ),
        decided as (
            partition by household_id
            order by month_number
            range between unbounded preceding and {{ decided_before }} preceding
        )
),

told_before as (
    {{ last_told_before({'visit': 'months_since_visit', 'application': 'months_since_refusal'}) }}
),

final as (
    select
        windowed.month,
        windowed.household_id,
        cast(windowed.visit_12m_count as integer) as visit_12m_count,
        cast(windowed.hardship_12m_count as integer) as visit_hardship_12m_count,
        cast(windowed.unentitled_12m_count as integer) as visit_unentitled_12m_count,
        cast(windowed.answered_12m_count as integer) as report_answered_12m_count,
        cast(windowed.other_check_12m_count as integer) as other_check_12m_count,
        cast(
            windowed.month_number - greatest(windowed.newest_visit, told_before.last_visit) as integer
        ) as months_since_visit,
        cast(
            case
                when
                    windowed.months_since_assistance is null
                    or windowed.month_number - greatest(windowed.newest_application, told_before.last_application)
                    < windowed.months_since_assistance
                    then windowed.month_number - greatest(windowed.newest_application, told_before.last_application)
            end as integer
        ) as months_since_refusal
    from windowed
    left join told_before
        on windowed.household_id = told_before.household_id
)

select * from final
