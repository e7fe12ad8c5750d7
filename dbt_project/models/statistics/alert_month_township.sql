with
alert as (
    select * from {{ ref('alert') }}
),

final as (
    select
        month,
        township_code,
        side,
        cast(count(*) as integer) as alert_count,
        cast(sum(case when not is_silenced and is_within_capacity then 1 else 0 end) as integer) as listed_count,
        cast(sum(case when month = first_month then 1 else 0 end) as integer) as new_count,
        cast(sum(case when level = 'red' then 1 else 0 end) as integer) as red_count,
        cast(sum(case when status = 'overdue' then 1 else 0 end) as integer) as overdue_count,
        cast(sum(case when last_visited_on is not null then 1 else 0 end) as integer) as visited_count,
        cast(sum(case when last_outcome = '1' then 1 else 0 end) as integer) as enrolled_count,
        cast(sum(case when last_outcome in ('2', '3') then 1 else 0 end) as integer) as helped_count,
        cast(sum(case when is_silenced then 1 else 0 end) as integer) as silenced_count,
        cast(sum(case when not is_within_capacity then 1 else 0 end) as integer) as put_off_count
    from alert
    group by month, township_code, side
)

select * from final
