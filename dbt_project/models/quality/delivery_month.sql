with
feed as (
    select * from {{ source('reference', 'feed') }}
),

month as (
    select
        month,
        month_number,
        min(month_number) over () as first_number
    from {{ ref('run_month') }}
),

delivery as (
    select
        *,
        cast(concat(period, '-01') as date) as month,
        cast(received_at as date) as received_on
    from {{ source('reference', 'delivery') }}
    where period is not null
),

-- Mended rows come as a delivery of their own (a supplement); its rows were counted with the delivery that it mends.
counted as (
    select
        feed,
        month,
        sum(case when status = 'accepted' and supplements is null then 1 else 0 end) as accepted_count,
        sum(case when status = 'rejected' and supplements is null then 1 else 0 end) as rejected_count,
        sum(case when status = 'held' then 1 else 0 end) as held_count,
        sum(case when status = 'duplicate' then 1 else 0 end) as duplicate_count,
        sum(case when status = 'accepted' and supersedes is not null then 1 else 0 end) as correction_count,
        sum(case when status = 'accepted' and supplements is null then rows_data else 0 end) as data_row_count,
        sum(case when status = 'accepted' then rows_accepted else 0 end) as accepted_row_count,
        sum(
            case
                when status = 'accepted' and supplements is null then rows_quarantined
                when status = 'accepted' then -rows_accepted
                else 0
            end
        ) as quarantined_row_count,
        min(case when status = 'accepted' and supplements is null then received_on end) as first_received_on
    from delivery
    group by feed, month
),

laid_out as (
    select
        feed.feed,
        feed.department,
        feed.mode,
        feed.frequency,
        month.month,
        {{ add_days(add_months('month.month', 1), 'cast(feed.due_day as integer) - 1') }} as due_on,
        month.month_number,
        month.first_number,
        coalesce(counted.accepted_count, 0) as accepted_count,
        coalesce(counted.rejected_count, 0) as rejected_count,
        coalesce(counted.held_count, 0) as held_count,
        coalesce(counted.duplicate_count, 0) as duplicate_count,
        coalesce(counted.correction_count, 0) as correction_count,
        coalesce(counted.data_row_count, 0) as data_row_count,
        coalesce(counted.accepted_row_count, 0) as accepted_row_count,
        coalesce(counted.quarantined_row_count, 0) as quarantined_row_count,
        counted.first_received_on,
        max(case when counted.accepted_count > 0 then month.month_number end)
            over (partition by feed.feed order by month.month_number) as last_number,
        max(case when counted.accepted_count > 0 then month.month_number end)
            over (
                partition by feed.feed order by month.month_number
                rows between unbounded preceding and 1 preceding
            ) as before_number
    from feed
    cross join month
    left join counted on feed.feed = counted.feed and month.month = counted.month
),

final as (
    select
        feed,
        department,
        month,
        mode,
        frequency,
        due_on,
        -- A quarterly feed is due again three months after it last came.
        frequency = 'monthly' or month_number - coalesce(before_number, first_number - 3) >= 3 as is_expected,
        accepted_count > 0 as is_arrived,
        coalesce(first_received_on > due_on, false) as is_late,
        first_received_on,
        mode = 'snapshot' and accepted_count = 0 and last_number is not null as is_stale,
        cast(month_number - last_number as integer) as age_months,
        cast(accepted_count as integer) as accepted_count,
        cast(rejected_count as integer) as rejected_count,
        cast(held_count as integer) as held_count,
        cast(duplicate_count as integer) as duplicate_count,
        cast(correction_count as integer) as correction_count,
        cast(data_row_count as bigint) as data_row_count,
        cast(accepted_row_count as bigint) as accepted_row_count,
        cast(quarantined_row_count as bigint) as quarantined_row_count
    from laid_out
)

select * from final
