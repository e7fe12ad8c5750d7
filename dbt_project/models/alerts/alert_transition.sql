with
alert as (
    select * from {{ ref('alert') }}
),

told as (
    select * from {{ source('reference', 'alert_transition') }}
),

rule as (
    select * from {{ source('reference', 'alert_transition_rule') }}
),

leads_to as (
    select
        event,
        max(to_state) as to_state
    from rule
    where from_state <> to_state
    group by event
),

-- From month to month: what the state was, and what led to the one of now.
changed as (
    select
        alert_id,
        month,
        charged_township_code,
        coalesce(lag(status) over (partition by alert_id order by month), 'new') as from_state,
        status as to_state,
        last_event as event
    from alert
),

-- What a month brought may be several steps at once: a visit that came back with what was done, a list that went out
-- and was not answered in time.
step as (
    select
        changed.alert_id,
        changed.month,
        changed.from_state,
        steps.step,
        steps.step_event as event
    from changed
    inner join (
        values
        ('visit', 1, 'visit'), ('handle', 1, 'visit'), ('handle', 2, 'handle'), ('settle', 1, 'visit'),
        ('settle', 2, 'handle'), ('settle', 3, 'settle'), ('due', 1, 'place'), ('due', 2, 'due'),
        ('place', 2, 'place'),
        ('raise', 1, 'place'),
        ('raise', 2, 'raise'),
        ('lapse', 2, 'lapse'),
        ('merge', 2, 'merge'),
        ('withdraw', 2, 'withdraw'), ('reopen', 2, 'reopen')
    ) as steps (event, step, step_event)
        on changed.event = steps.event
    left join told
        on
            changed.alert_id = told.alert_id
            and changed.month = told.month
            and changed.event = told.event
    where
        changed.from_state <> changed.to_state
        -- A decision of a person is told below.
        and told.alert_id is null
        and (
            steps.step_event <> 'place'
            or (changed.from_state = 'new' and changed.charged_township_code is not null)
        )
        and (steps.step_event <> 'raise' or changed.from_state <> 'new')
),

chained as (
    select
        step.alert_id,
        step.month,
        step.step,
        step.event,
        coalesce(
            lag(leads_to.to_state) over (partition by step.alert_id, step.month order by step.step), step.from_state
        ) as from_state,
        leads_to.to_state
    from step
    inner join leads_to on step.event = leads_to.event
),

by_rule as (
    select
        alert_id,
        month,
        0 as transition_id,
        step,
        event,
        from_state,
        to_state,
        case when event in ('visit', 'handle') then 'village' else 'rule' end as by_role,
        cast(null as timestamp) as decided_at
    from chained
),

by_person as (
    select
        alert_id,
        month,
        transition_id,
        0 as step,
        event,
        from_state,
        to_state,
        role as by_role,
        decided_at
    from told
),

joined as (
    select * from by_rule
    union all
    select * from by_person
),

final as (
    select
        alert_id,
        month,
        cast(transition_id as integer) as transition_id,
        cast(step as integer) as step,
        event,
        from_state,
        to_state,
        by_role,
        decided_at
    from joined
)

select * from final
