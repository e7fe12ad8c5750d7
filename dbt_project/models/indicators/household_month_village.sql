with
take_up as (
    select * from {{ ref('household_month_take_up') }}
    where {{ since_rebuild('month') }}
),

occurrence as (
    select * from {{ ref('household_month_occurrence') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

mixed_in as (
    select
        month,
        cast(value as double) as value
    from ({{ city_policy('village_prior_households') }}) as policy
),

reported as (
    select
        take_up.month,
        take_up.household_id,
        take_up.village_code,
        take_up.township_code,
        case when take_up.is_on_assistance then 1 else 0 end as assisted_count,
        take_up.entry_12m_count,
        coalesce(occurrence.report_count, 0) as report_count
    from take_up
    left join occurrence
        on
            take_up.month = occurrence.month
            and take_up.household_id = occurrence.household_id
),

-- The household itself is taken out of what its village and township are: its own story is told elsewhere, and its own
-- entry must not foretell itself.
surrounded as (
    select
        month,
        household_id,
        assisted_count,
        entry_12m_count,
        report_count,
        count(*) over village - 1 as village_household_count,
        sum(assisted_count) over village - assisted_count as village_assisted_count,
        sum(entry_12m_count) over village - entry_12m_count as village_entry_count,
        sum(report_count) over village - report_count as village_report_count,
        count(*) over township - 1 as township_household_count,
        sum(assisted_count) over township - assisted_count as township_assisted_count,
        sum(entry_12m_count) over township - entry_12m_count as township_entry_count,
        sum(report_count) over township - report_count as township_report_count
    from reported
    window
        village as (partition by month, village_code),
        township as (partition by month, township_code)
),

-- Small villages borrow from their township: so many households' worth of its share is mixed in.
final as (
    select
        surrounded.month,
        surrounded.household_id,
        {{ drawn_towards('assisted') }} as village_assisted_share,
        {{ drawn_towards('entry') }} as village_entry_share,
        {{ drawn_towards('report') }} as village_report_share
    from surrounded
    inner join mixed_in
        on surrounded.month = mixed_in.month
)

select * from final
