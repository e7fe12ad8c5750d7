with
-- Strongest first.
reason as (
    select
        *,
        row_number() over (partition by alert_id, month order by weight desc, sort_order, indicator) as position
    from {{ ref('alert_reason') }}
),

visit as (
    select * from {{ ref('alert_visit') }}
),

household as (
    select * from {{ ref('household_month') }}
),

calendar as (
    select * from {{ source('reference', 'calendar_day') }}
),

answer_days as (
    {{ policy_parameter('answer_working_days') }}
),

list_day as (
    {{ policy_parameter('list_day') }}
),

cooldown as (
    {{ policy_parameter('cooldown_months') }}
),

outcome_state as (
    {{ policy_parameter('outcome_state') }}
),

worker as (
    {{ policy_parameter('village_worker_count') }}
),

capacity as (
    {{ policy_parameter('visit_capacity') }}
),

merged as (
    select
        reason.alert_id,
        reason.month,
        reason.side,
        reason.household_id,
        min(reason.alert_first_month) as first_month,
        max(reason.weight) as weight,
        count(*) as reason_count,
        {{ ordered_list('reason.indicator', 'reason.position') }} as reasons,
        {{ value_at_max('reason.person_key', '-reason.position') }} as person_key,
        max(
            case
                when visit.known_month is null then 0
                when reason.first_month > visit.known_month or reason.weight > visit.weight_at_visit then 1
                else 0
            end
        ) as fresh_count
    from reason
    left join visit on reason.alert_id = visit.alert_id and reason.month = visit.month
    group by reason.alert_id, reason.month, reason.side, reason.household_id
),

placed as (
    select
        merged.*,
        household.village_code,
        household.township_code,
        household.county_code,
        household.register_layer,
        household.reference_person_key,
        -- Days to answer begin with the list on which the alert first stood at this level.
        min(merged.month) over (partition by merged.alert_id, merged.weight) as level_month
    from merged
    inner join household on merged.month = household.month and merged.household_id = household.household_id
),

dated as (
    select
        placed.*,
        {{ level_of_weight('placed.weight') }} as level,
        due.day as due_on
    from placed
    inner join list_day on placed.month = list_day.month and placed.county_code = list_day.county_code
    inner join answer_days
        on
            placed.month = answer_days.month
            and placed.county_code = answer_days.county_code
            and answer_days.dimension_key = {{ level_of_weight('placed.weight') }}
    inner join calendar as listed
        on listed.day = {{ add_days(add_months('placed.level_month', 1), 'cast(list_day.value as integer) - 1') }}
    inner join calendar as due
        on due.is_working_day and due.working_day_number = listed.working_day_number + answer_days.value
),

answered as (
    select
        dated.*,
        visit.outcome as last_outcome,
        visit.visited_on as last_visited_on,
        visit.known_month as visit_month,
        outcome_state.value_text as visit_state,
        visit.known_month is not null
        and dated.fresh_count = 0
        and {{ months_between('visit.known_month', 'dated.month') }} < coalesce(cooldown.value, 0) as is_silenced
    from dated
    left join visit on dated.alert_id = visit.alert_id and dated.month = visit.month
    left join cooldown
        on
            dated.month = cooldown.month
            and dated.county_code = cooldown.county_code
            and visit.outcome = cooldown.dimension_key
    left join outcome_state
        on
            dated.month = outcome_state.month
            and dated.county_code = outcome_state.county_code
            and visit.outcome = outcome_state.dimension_key
),

-- What the workers of a village can visit in a month, the most severe first. Red is never put off.
ranked as (
    select
        answered.*,
        worker.value * capacity.value as village_capacity,
        sum(case when answered.is_silenced then 0 else 1 end) over (
            partition by answered.month, answered.village_code
            order by
                answered.is_silenced,
                answered.weight desc,
                answered.reason_count desc,
                answered.first_month,
                answered.alert_id
            rows between unbounded preceding and current row
        ) as village_rank
    from answered
    inner join worker on answered.month = worker.month and answered.county_code = worker.county_code
    inner join capacity on answered.month = capacity.month and answered.county_code = capacity.county_code
),

final as (
    select
        alert_id,
        month,
        side,
        level,
        household_id,
        reasons,
        due_on,
        township_code,
        village_code,
        county_code,
        person_key,
        reference_person_key,
        register_layer,
        first_month,
        cast(weight as integer) as weight,
        case
            when is_silenced then coalesce(visit_state, 'visited')
            when visit_month is not null and visit_month >= first_month and fresh_count > 0 then 'reopened'
            when visit_month is not null and visit_month >= first_month and visit_state = 'visited' then 'visited'
            when due_on <= last_day(month) then 'overdue'
            else 'new'
        end as status,
        last_outcome,
        last_visited_on,
        is_silenced,
        is_silenced or level = 'red' or village_rank <= village_capacity as is_within_capacity
    from ranked
)

select * from final
