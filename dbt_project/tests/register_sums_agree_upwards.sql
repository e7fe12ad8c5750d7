-- Villages add up to townships, these to counties and the city: each month and layer, persons, households and money.
with
total as (
    select
        month,
        layer,
        area_level,
        sum(person_count) as person_count,
        sum(household_count) as household_count,
        sum(amount_yuan) as amount_yuan
    from {{ ref('register_month_area_layer') }}
    group by month, layer, area_level
),

city as (
    select * from total
    where area_level = 'city'
)

select total.*
from total
inner join city on total.month = city.month and total.layer = city.layer
where
    total.person_count <> city.person_count
    or total.household_count <> city.household_count
    or total.amount_yuan <> city.amount_yuan
