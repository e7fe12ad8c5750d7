with
alert as (
    {{ weighed_alerts(ref('alert_reason')) }}
),

-- A visit under the number of an alert answers that side; one for a report or a person answers the need.
visit as (
    select
        household_id,
        coalesce(side, 'need') as side,
        visited_on,
        outcome,
        known_month,
        visit_no
    from {{ ref('visit') }}
    where household_id is not null
),

answered as (
    select
        alert.alert_id,
        alert.month,
        alert.side,
        alert.household_id,
        visit.visited_on,
        visit.outcome,
        visit.known_month
    from alert
    inner join visit
        on
            alert.household_id = visit.household_id
            and alert.side = visit.side
            and alert.month >= visit.known_month
    -- The newest visit known in the month.
    qualify
        row_number() over (
            partition by alert.alert_id, alert.month
            order by visit.visited_on desc, visit.known_month desc, visit.visit_no desc
        ) = 1
),

-- How heavy the household's reasons were when it was visited.
before_visit as (
    {{ weight_until('answered', 'alert', 'known_month') }}
),

final as (
    select
        answered.alert_id,
        answered.month,
        answered.visited_on,
        answered.outcome,
        answered.known_month,
        cast(before_visit.weight as integer) as weight_at_visit
    from answered
    left join before_visit on answered.alert_id = before_visit.alert_id and answered.month = before_visit.month
)

select * from final
