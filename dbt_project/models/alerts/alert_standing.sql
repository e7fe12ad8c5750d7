with
-- Strongest first.
reason as (
    select
        *,
        row_number() over (partition by alert_id, month order by weight desc, sort_order, indicator) as position
    from {{ ref('alert_reason') }}
    where {{ since_rebuild('month') }}
),

visit as (
    select * from {{ ref('alert_visit') }}
),

decision as (
    select * from {{ ref('alert_decision') }}
),

stake as (
    select * from {{ ref('alert_stake') }}
),

chance as (
    select
        month,
        household_id
    from {{ ref('n30_model_score') }}
    where selection_arm = 'random'
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

closed_cooldown as (
    {{ policy_parameter('closed_cooldown_months') }}
),

worker as (
    {{ policy_parameter('village_worker_count') }}
),

capacity as (
    {{ policy_parameter('visit_capacity') }}
),

-- What was said last: a visit, or a person's decision by somebody who had seen the visits known until then.
answer as (
    select
        standing.alert_id,
        standing.month,
        visit.outcome,
        visit.visited_on,
        visit.known_month as visit_month,
        decision.placement,
        decision.township_code as named_township_code,
        decision.village_code as named_village_code,
        case
            when decision.decision_month >= coalesce(visit.known_month, decision.decision_month) then decision.decision
            when visit.known_month is not null then 'visit'
        end as answer,
        case
            when decision.decision_month >= coalesce(visit.known_month, decision.decision_month)
                then decision.decision_month
            else visit.known_month
        end as answer_month,
        case
            when decision.decision_month >= coalesce(visit.known_month, decision.decision_month)
                then decision.weight_at_decision
            else visit.weight_at_visit
        end as answer_weight
    from (select distinct
        alert_id,
        month
    from reason) as standing
    left join visit on standing.alert_id = visit.alert_id and standing.month = visit.month
    left join decision on standing.alert_id = decision.alert_id and standing.month = decision.month
),

merged as (
    select
        reason.alert_id,
        reason.month,
        reason.side,
        reason.household_id,
        min(reason.alert_first_month) as first_month,
        max(reason.weight) as weight,
        {{ ordered_list('reason.indicator', 'reason.position') }} as reasons,
        {{ value_at_max('reason.person_key', '-reason.position') }} as person_key,
        max(
            case
                when answer.answer_month is null then 0
                when reason.first_month > answer.answer_month or reason.weight > answer.answer_weight then 1
                else 0
            end
        ) as fresh_count
    from reason
    inner join answer on reason.alert_id = answer.alert_id and reason.month = answer.month
    group by reason.alert_id, reason.month, reason.side, reason.household_id
),

-- By place of living, unless a person has named another one.
placed as (
    select
        merged.*,
        household.village_code,
        household.township_code,
        household.county_code,
        household.register_layer,
        household.reference_person_key,
        coalesce(answer.named_township_code, household.township_code) as charged_township_code,
        case
            when answer.named_township_code is null then household.village_code else answer.named_village_code
        end as charged_village_code,
        answer.placement,
        answer.outcome,
        answer.visited_on,
        answer.visit_month,
        answer.answer,
        answer.answer_month,
        merged.side = 'need' and chance.household_id is not null as is_drawn,
        case answer.answer
            when 'visit' then coalesce(cooldown.value, 0)
            when 'close' then closed_cooldown.value
            else 0
        end as silent_months,
        coalesce(stake.expected_benefit_yuan, 0) as expected_benefit_yuan
    from merged
    inner join answer on merged.alert_id = answer.alert_id and merged.month = answer.month
    inner join household on merged.month = household.month and merged.household_id = household.household_id
    inner join closed_cooldown
        on household.month = closed_cooldown.month and household.county_code = closed_cooldown.county_code
    left join cooldown
        on
            household.month = cooldown.month
            and household.county_code = cooldown.county_code
            and answer.outcome = cooldown.dimension_key
    left join chance on merged.month = chance.month and merged.household_id = chance.household_id
    left join stake on merged.alert_id = stake.alert_id and merged.month = stake.month
),

answered as (
    select
        *,
        answer_month is not null
        and fresh_count = 0
        and {{ months_between('answer_month', 'month') }} < silent_months as is_silenced
    from placed
),

-- What the workers of a village can visit in a month, the most severe first, then where a visit is worth most. Red is
-- never put off. A visit drawn by chance keeps its place: put off for being worth little, it would teach nothing. An
-- alert without a village stays with the township, and is nobody's in a village to put off.
ranked as (
    select
        answered.*,
        sum(case when answered.is_silenced then 0 else 1 end) over (
            partition by answered.month, answered.charged_township_code, answered.charged_village_code
            order by
                answered.is_silenced,
                answered.is_drawn desc,
                answered.weight desc,
                answered.expected_benefit_yuan desc,
                answered.first_month,
                answered.alert_id
            rows between unbounded preceding and current row
        ) as village_rank,
        worker.value * capacity.value as village_capacity
    from answered
    inner join worker on answered.month = worker.month and answered.county_code = worker.county_code
    inner join capacity on answered.month = capacity.month and answered.county_code = capacity.county_code
),

listed as (
    select
        *,
        {{ level_of_weight('weight') }} as level,
        is_silenced
        or weight = 4
        or charged_village_code is null
        or village_rank <= village_capacity as is_within_capacity
    from ranked
),

-- These alerts month by month; of the months that stay, as it was said then.
told as (
    select
        alert_id,
        month,
        answer,
        answer_month,
        weight,
        is_silenced,
        is_within_capacity
    from listed
    {%- if adds_months() %}
    union all
    select
        before.alert_id,
        before.month,
        before.answer,
        before.answer_month,
        before.weight,
        before.is_silenced,
        before.is_within_capacity
    from {{ this }} as before
    where before.month < {{ rebuild_from() }} and before.alert_id in (select listed.alert_id from listed)
    {%- endif %}
),

peaked as (
    select
        *,
        -- The highest level since it was answered: days to answer begin anew when the level rises, not when it falls.
        max(weight) over (partition by alert_id, answer, answer_month order by month) as peak_weight
    from told
),

-- Days to answer begin with the first list that bears the alert since it was last answered, or rose.
begun as (
    select
        alert_id,
        month,
        min(case when not is_silenced and is_within_capacity then month end) over (
            partition by alert_id, answer, answer_month, peak_weight
            order by month
            rows between unbounded preceding and current row
        ) as listed_month,
        min(case when not is_silenced and is_within_capacity then month end) over (
            partition by alert_id
            order by month
            rows between unbounded preceding and current row
        ) as first_listed_month,
        max(case when is_silenced then 1 else 0 end) over (
            partition by alert_id
            order by month
            rows between unbounded preceding and current row
        ) = 1 as was_silenced
    from peaked
),

started as (
    select
        listed.*,
        begun.listed_month,
        begun.first_listed_month,
        begun.was_silenced
    from listed
    inner join begun on listed.alert_id = begun.alert_id and listed.month = begun.month
),

final as (
    select
        started.alert_id,
        started.month,
        started.side,
        started.household_id,
        started.level,
        cast(started.weight as integer) as weight,
        started.reasons,
        started.person_key,
        started.reference_person_key,
        started.register_layer,
        started.first_month,
        started.village_code,
        started.township_code,
        started.county_code,
        started.charged_township_code,
        started.charged_village_code,
        started.placement,
        started.outcome,
        started.visited_on,
        started.visit_month,
        started.answer,
        started.answer_month,
        started.fresh_count > 0 as is_fresh,
        started.is_silenced,
        started.was_silenced,
        started.is_within_capacity,
        {{ yuan('started.expected_benefit_yuan') }} as expected_benefit_yuan,
        cast(started.village_rank as integer) as village_rank,
        started.listed_month,
        started.first_listed_month,
        due.day as due_on
    from started
    inner join list_day on started.month = list_day.month and started.county_code = list_day.county_code
    inner join answer_days
        on
            started.month = answer_days.month
            and started.county_code = answer_days.county_code
            and started.level = answer_days.dimension_key
    inner join calendar as listed_day
        on
            listed_day.day = {{ add_days(
                add_months('coalesce(started.listed_month, started.month)', 1), 'cast(list_day.value as integer) - 1'
            ) }}
    inner join calendar as due
        on due.is_working_day and due.working_day_number = listed_day.working_day_number + answer_days.value
)

select * from final
