with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

aid as (
    select * from {{ ref('household_month_aid') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

standing as (
    select
        household.month,
        {{ month_number('household.month') }} as month_number,
        household.household_id,
        household.township_code,
        household.village_code,
        household.assistance_layer <> 'none'
        or coalesce(aid.dibao_paid_yuan, 0) + coalesce(aid.destitute_paid_yuan, 0) > 0 as is_on_assistance
    from household
    left join aid
        on
            household.month = aid.month
            and household.household_id = aid.household_id
    where household.counted_member_count > 0
),

-- A household first seen on assistance brought it along: that is no entry.
stepped as (
    select
        *,
        is_on_assistance
        and not coalesce(
            lag(is_on_assistance) over (partition by household_id order by month_number), true
        ) as is_entry
    from standing
),

-- What is longer ago than the months read stands in the rows of before.
told_before as (
    {{ last_told_before({'assistance': 'months_since_assistance'}) }}
),

final as (
    select
        stepped.month,
        stepped.household_id,
        stepped.village_code,
        stepped.township_code,
        stepped.is_on_assistance,
        stepped.is_entry,
        max(case when stepped.is_on_assistance then 1 else 0 end) over year_back = 1 as has_assistance_12m,
        cast(
            sum(case when stepped.is_entry then 1 else 0 end) over year_back as integer
        ) as entry_12m_count,
        cast(
            stepped.month_number - greatest(
                max(case when stepped.is_on_assistance then stepped.month_number end) over so_far,
                told_before.last_assistance
            ) as integer
        ) as months_since_assistance
    from stepped
    left join told_before
        on stepped.household_id = told_before.household_id
    window
        year_back as (
            partition by stepped.household_id
            order by stepped.month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        so_far as (
            partition by stepped.household_id
            order by stepped.month_number
            rows unbounded preceding
        )
)

select * from final
