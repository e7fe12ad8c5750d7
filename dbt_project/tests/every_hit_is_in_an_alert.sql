-- Each hit of a household that lives somewhere is a reason of exactly one alert of the month.
select
    hit.month,
    hit.household_id,
    hit.indicator
from {{ ref('indicator_hit') }} as hit
inner join {{ ref('household_month') }} as household
    on hit.month = household.month and hit.household_id = household.household_id
left join {{ ref('alert') }} as alert
    on hit.month = alert.month and hit.household_id = alert.household_id and hit.side = alert.side
where alert.alert_id is null
