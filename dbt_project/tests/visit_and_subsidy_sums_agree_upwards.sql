-- Villages add up to townships, these to counties and the city: visits to old people, payees and money of the subsidy.
with
total as (
    select
        month,
        'visit' as subject,
        area_level,
        sum(registered_count) as first_figure,
        sum(done_count) as second_figure
    from {{ ref('elder_visit_month_area') }}
    group by month, area_level
    union all
    select
        month,
        'subsidy' as subject,
        area_level,
        sum(payee_count) as first_figure,
        sum(amount_due_yuan) as second_figure
    from {{ ref('price_subsidy_month_area') }}
    group by month, area_level
),

city as (
    select * from total
    where area_level = 'city'
)

select total.*
from total
left join city on total.month = city.month and total.subject = city.subject
where
    city.month is null
    or total.first_figure <> city.first_figure
    or total.second_figure <> city.second_figure
