-- Each step of an alert's life stands in the table of transitions (models/policy/alert_life.yaml).
select
    step.alert_id,
    step.month,
    step.event,
    step.from_state,
    step.to_state
from {{ ref('alert_transition') }} as step
left join {{ source('reference', 'alert_transition_rule') }} as rule
    on
        step.event = rule.event
        and step.from_state = rule.from_state
        and step.to_state = rule.to_state
        and step.by_role = rule.by_role
where rule.event is null
