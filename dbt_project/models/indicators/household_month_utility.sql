with
occurrence as (
    select * from {{ ref('household_month_occurrence') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

metered as (
    select
        household.month,
        {{ month_number('household.month') }} as month_number,
        household.household_id,
        household.counted_member_count,
        cast(occurrence.kwh as decimal(18, 6)) as kwh,
        case when occurrence.arrears_yuan > 0 then 1 else 0 end as is_in_arrears
    from household
    inner join occurrence
        on
            household.month = occurrence.month
            and household.household_id = occurrence.household_id
    where household.counted_member_count > 0
),

-- Use goes by season, weather and people: a household is compared with those of its size in the same month.
peer as (
    select
        month,
        counted_member_count,
        cast(sum(kwh) as double) / nullif(count(kwh), 0) as kwh_mean
    from metered
    group by month, counted_member_count
),

compared as (
    select
        metered.*,
        cast(cast(metered.kwh as double) / nullif(peer.kwh_mean, 0) as decimal(18, 6)) as kwh_peer_ratio
    from metered
    inner join peer
        on
            metered.month = peer.month
            and metered.counted_member_count = peer.counted_member_count
),

windowed as (
    select
        *,
        cast(sum(kwh_peer_ratio) over last_3 as double) / nullif(count(kwh_peer_ratio) over last_3, 0) as kwh_peer_3m,
        cast(sum(kwh_peer_ratio) over year_back as double)
        / nullif(count(kwh_peer_ratio) over year_back, 0) as kwh_peer_12m,
        case when count(kwh) over year_back > 0 then sum(is_in_arrears) over year_back end as arrears_12m_count,
        max(case when kwh is not null then month_number end) over so_far as newest_reading
    from compared
    window
        last_3 as (partition by household_id order by month_number range between 2 preceding and current row),
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        so_far as (partition by household_id order by month_number rows unbounded preceding)
),

told_before as (
    {{ last_told_before({'reading': 'months_since_reading'}) }}
),

final as (
    select
        windowed.month,
        windowed.household_id,
        windowed.kwh_peer_3m as kwh_peer_3m_ratio,
        windowed.kwh_peer_12m as kwh_peer_12m_ratio,
        windowed.kwh_peer_3m / nullif(windowed.kwh_peer_12m, 0) as kwh_peer_change_ratio,
        cast(windowed.arrears_12m_count as integer) as arrears_12m_count,
        cast(
            windowed.month_number - greatest(windowed.newest_reading, told_before.last_reading) as integer
        ) as months_since_reading
    from windowed
    left join told_before
        on windowed.household_id = told_before.household_id
)

select * from final
