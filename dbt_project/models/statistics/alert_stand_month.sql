with
alert as (
    select * from {{ ref('alert') }}
    where is_standing
),

place as (
    select * from {{ ref('place') }}
),

-- Results of visits that came in with a month, by what they answer: a number of an alert its side, all else the need.
answer as (
    select
        household_id,
        coalesce(side, 'need') as side,
        known_month as month,
        min(visited_on) as visited_on
    from {{ ref('visit') }}
    where household_id is not null
    group by household_id, coalesce(side, 'need'), known_month
),

described as (
    select
        alert.*,
        place.village_code as placed_code,
        place.is_known as is_placed,
        not alert.is_silenced and alert.is_within_capacity as is_listed,
        -- A visit from before the alert says nothing about it.
        case when alert.last_visited_on >= alert.first_month then {{ finding('alert.last_outcome') }} end as finding,
        answer.visited_on as answered_on
    from alert
    inner join place on coalesce(alert.charged_village_code, alert.village_code, '') = place.told_code
    left join answer
        on
            alert.household_id = answer.household_id
            and alert.side = answer.side
            and alert.month = answer.month
),

followed as (
    select
        *,
        max(case when is_listed then 1 else 0 end) over (
            partition by alert_id order by month rows between unbounded preceding and current row
        ) = 1 as was_listed
    from described
),

final as (
    select
        alert_id,
        month,
        side,
        level,
        household_id,
        first_month,
        register_layer as layer,
        placed_code as village_code,
        is_listed,
        is_silenced,
        not is_within_capacity as is_put_off,
        month = first_month as is_new,
        is_listed and status = 'overdue' as is_overdue,
        answered_on is not null as is_answered,
        coalesce(answered_on <= due_on, false) as is_answered_in_time,
        was_listed,
        was_listed and is_placed as was_assigned,
        -- Whom nobody met has not been visited.
        was_listed and is_placed and coalesce(finding <> 'not_reached', false) as was_visited,
        was_listed and is_placed and coalesce(finding in {{ confirmed_findings() }}, false) as was_confirmed,
        was_listed and is_placed and coalesce(finding = 'enrolled', false) as was_enrolled,
        was_listed and is_placed and coalesce(finding = 'aided', false) as was_aided,
        was_listed and is_placed and coalesce(finding = 'referred', false) as was_referred,
        was_listed and is_placed and coalesce(finding = 'stopped', false) as was_stopped
    from followed
)

select * from final
