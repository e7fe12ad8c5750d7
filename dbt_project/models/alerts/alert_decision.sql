with
alert as (
    {{ weighed_alerts(ref('alert_reason')) }}
),

-- Keys given out before data or a rule were changed stand for the household of now.
alias as (
    select * from {{ ref('household_alias') }}
    where reason = 'derived_anew'
),

-- Like a visit, a decision is about household and side: the number of the alert may have changed since.
told as (
    select
        told.transition_id,
        told.side,
        coalesce(alias.current_household_id, told.household_id) as household_id,
        told.event,
        told.role,
        told.month,
        told.township_code,
        told.village_code
    from {{ source('reference', 'alert_transition') }} as told
    left join alias on told.household_id = alias.household_id
),

decided as (
    select
        alert.alert_id,
        alert.month,
        alert.side,
        alert.household_id,
        told.event as decision,
        told.month as decision_month
    from alert
    inner join told
        on
            alert.household_id = told.household_id
            and alert.side = told.side
            and alert.month >= told.month
    where
        told.event in ('close', 'return', 'reopen')
        -- Sent back or opened again is that alert, closed is the household's reasons.
        and (told.event = 'close' or told.month >= alert.first_month)
    qualify row_number() over (partition by alert.alert_id, alert.month order by told.transition_id desc) = 1
),

-- How heavy the household's reasons were when it was decided.
before_decision as (
    {{ weight_until('decided', 'alert', 'decision_month') }}
),

placed as (
    select
        alert.alert_id,
        alert.month,
        told.event as placement,
        told.month as placement_month,
        told.township_code,
        told.village_code
    from alert
    inner join told
        on
            alert.household_id = told.household_id
            and alert.side = told.side
            and alert.month >= told.month
            and alert.first_month <= told.month
    where told.event in ('assign', 'transfer')
    qualify row_number() over (
        partition by alert.alert_id, alert.month
        -- A worker named later does not undo the place.
        order by case when told.township_code is null then 1 else 0 end, told.transition_id desc
    ) = 1
),

final as (
    select
        alert.alert_id,
        alert.month,
        decided.decision,
        decided.decision_month,
        cast(before_decision.weight as integer) as weight_at_decision,
        placed.placement,
        placed.placement_month,
        placed.township_code,
        placed.village_code
    from alert
    left join decided on alert.alert_id = decided.alert_id and alert.month = decided.month
    left join before_decision
        on alert.alert_id = before_decision.alert_id and alert.month = before_decision.month
    left join placed on alert.alert_id = placed.alert_id and alert.month = placed.month
    where decided.decision is not null or placed.placement is not null
)

select * from final
