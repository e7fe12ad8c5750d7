with
standing as (
    select * from {{ ref('alert_standing') }}
),

ended as (
    select * from {{ ref('alert_end') }}
),

outcome_state as (
    {{ policy_parameter('outcome_state') }}
),

handling as (
    {{ policy_parameter('outcome_handling') }}
),

-- To which state an event leads: the table of transitions, where it leads to another one.
leads_to as (
    select
        event,
        max(to_state) as to_state
    from {{ source('reference', 'alert_transition_rule') }}
    where from_state <> to_state
    group by event
),

-- The last thing that happened to the alert by the end of the month.
happened as (
    select
        standing.*,
        handling.value_text as handling,
        case
            when standing.is_silenced and standing.answer = 'close' then 'close'
            when standing.is_silenced
                then
                    case outcome_state.value_text
                        when 'closed' then 'settle' when 'handled' then 'handle' else 'visit'
                    end
            when standing.listed_month is not null and standing.due_on <= last_day(standing.month) then 'due'
            when standing.answer_month >= standing.first_month and standing.answer = 'return' then 'return'
            when
                standing.answer_month >= standing.first_month
                and standing.answer = 'visit'
                and not standing.is_fresh
                and outcome_state.value_text = 'visited'
                then 'visit'
            when standing.answer_month >= standing.first_month or standing.was_silenced then 'reopen'
            when
                standing.charged_township_code is not null
                and coalesce(standing.listed_month, standing.month) > standing.first_listed_month
                then 'raise'
            when standing.placement is not null then standing.placement
            when standing.first_listed_month < standing.month and standing.charged_township_code is not null
                then 'place'
            else 'list'
        end as last_event
    from standing
    left join outcome_state
        on
            standing.month = outcome_state.month
            and standing.county_code = outcome_state.county_code
            and standing.outcome = outcome_state.dimension_key
    left join handling
        on
            standing.month = handling.month
            and standing.county_code = handling.county_code
            and standing.outcome = handling.dimension_key
),

present as (
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
        weight,
        last_event,
        case when visit_month >= first_month then handling end as handling,
        outcome as last_outcome,
        visited_on as last_visited_on,
        is_silenced,
        is_within_capacity,
        true as is_standing,
        charged_township_code,
        charged_village_code,
        case
            when charged_village_code is not null then 'village'
            when charged_township_code is not null then 'township'
            else 'city'
        end as charged_level,
        expected_benefit_yuan,
        village_rank,
        first_listed_month,
        cast(null as string) as into_alert_id
    from happened
),

-- An alert that ended in the month, where the household has no other on that side.
past as (
    select
        ended.alert_id,
        ended.month,
        ended.side,
        ended.level,
        ended.household_id,
        ended.reasons,
        ended.due_on,
        ended.township_code,
        ended.village_code,
        ended.county_code,
        ended.person_key,
        ended.reference_person_key,
        cast(null as string) as register_layer,
        ended.first_month,
        ended.weight,
        ended.event as last_event,
        ended.handling,
        ended.last_outcome,
        ended.last_visited_on,
        false as is_silenced,
        false as is_within_capacity,
        false as is_standing,
        ended.township_code as charged_township_code,
        ended.village_code as charged_village_code,
        case
            when ended.village_code is not null then 'village'
            when ended.township_code is not null then 'township'
            else 'city'
        end as charged_level,
        cast(null as decimal(14, 2)) as expected_benefit_yuan,
        cast(null as integer) as village_rank,
        cast(null as date) as first_listed_month,
        ended.into_alert_id
    from ended
    left join standing
        on
            ended.month = standing.month
            and ended.household_id = standing.household_id
            and ended.side = standing.side
    where standing.alert_id is null
    qualify
        row_number() over (
            partition by ended.month, ended.household_id, ended.side
            order by ended.first_month desc, ended.alert_id
        ) = 1
),

told as (
    select * from present
    union all
    select * from past
),

final as (
    select
        told.alert_id,
        told.month,
        told.side,
        told.level,
        told.household_id,
        told.reasons,
        told.due_on,
        told.township_code,
        told.village_code,
        told.county_code,
        told.person_key,
        told.reference_person_key,
        told.register_layer,
        told.first_month,
        told.weight,
        coalesce(leads_to.to_state, 'new') as status,
        told.last_event,
        told.handling,
        told.last_outcome,
        told.last_visited_on,
        told.is_silenced,
        told.is_within_capacity,
        told.is_standing,
        told.charged_township_code,
        told.charged_village_code,
        told.charged_level,
        told.expected_benefit_yuan,
        told.village_rank,
        told.first_listed_month,
        told.into_alert_id
    from told
    left join leads_to on told.last_event = leads_to.event
)

select * from final
