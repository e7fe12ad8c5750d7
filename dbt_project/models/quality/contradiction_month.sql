with
month as (
    select month from {{ ref('run_month') }}
),

found as (
    select * from {{ ref('contradiction') }}
),

final as (
    select
        month.month,
        found.contradiction,
        cast(count(distinct found.person_key) as integer) as person_count
    from found
    inner join month
        on
            found.known_from <= month.month
            and found.known_to > month.month
    group by month.month, found.contradiction
)

select * from final
