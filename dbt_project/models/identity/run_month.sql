with
run as (
    select * from {{ source('reference', 'run') }}
),

months as (
    {{ month_series('first_month', 'last_month', 'run') }}
),

final as (
    select
        month,
        last_day(month) as month_end,
        {{ add_months('month', 1) }} as next_month,
        {{ month_number('month') }} as month_number
    from months
)

select * from final
