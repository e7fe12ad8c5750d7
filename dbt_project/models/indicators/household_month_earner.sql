with
income as (
    select * from {{ ref('person_month_income') }}
    where {{ since_rebuild('month', windows=['main_earner_months', 'earner_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['main_earner_months', 'earner_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
),

first_month as (
    select min(month) as month from {{ ref('run_month') }}
),

person_month as (
    select
        month,
        person_key,
        sum(counted_yuan) as income_yuan,
        sum(case when is_work then counted_yuan else 0 end) as work_yuan
    from income
    group by month, person_key
),

earner as (
    select distinct person_key from person_month
),

-- Only those who have or had an income need a row.
spine as (
    select
        member.month,
        month.month_number,
        member.household_id,
        member.person_key,
        coalesce(person_month.income_yuan, 0) as income_yuan,
        coalesce(person_month.work_yuan, 0) as work_yuan,
        person_month.person_key is not null as has_income
    from member
    inner join earner
        on member.person_key = earner.person_key
    inner join month
        on member.month = month.month
    left join person_month
        on
            member.month = person_month.month
            and member.person_key = person_month.person_key
),

windowed as (
    select
        spine.month,
        spine.household_id,
        spine.person_key,
        case
            when spine.month = first_month.month then spine.income_yuan
            else coalesce(sum(spine.income_yuan) over six_before, 0)
        end as window_yuan,
        case
            when spine.month = first_month.month then 1
            else count(*) over six_before
        end as window_count,
        coalesce(sum(spine.work_yuan) over three_before, 0) > 0 as has_worked,
        bool_or(spine.has_income) over half_year as has_lately_earned
    from spine
    cross join first_month
    window
        six_before as (
            partition by spine.person_key
            order by spine.month_number
            range between {{ months_of_window('main_earner_months') }} preceding and 1 preceding
        ),
        half_year as (
            partition by spine.person_key
            order by spine.month_number
            range between {{ months_of_window('main_earner_months') }} preceding and current row
        ),
        three_before as (
            partition by spine.person_key
            order by spine.month_number
            range between {{ months_of_window('earner_months') }} preceding and 1 preceding
        )
),

summed as (
    select
        month,
        household_id,
        {{ value_at_max(
            'person_key',
            "case when window_yuan > 0 then lpad(cast(window_yuan as string), 20, '0') || person_key end"
        ) }} as main_earner_key,
        max(window_yuan) as highest_yuan,
        {{ value_at_max('window_count', 'window_yuan') }} as highest_count,
        sum(case when window_yuan > 0 then window_yuan else 0 end) as household_yuan,
        count(*) filter (where has_worked) as prior_earner_count
    from windowed
    -- Who earned earlier or later is not known by what is looked at here.
    where has_lately_earned
    group by month, household_id
),

final as (
    select
        month,
        household_id,
        main_earner_key,
        case
            when main_earner_key is not null and highest_count > 0
                then {{ yuan('cast(highest_yuan as double) / highest_count') }}
        end as main_earner_mean_yuan,
        case when household_yuan > 0 then cast(highest_yuan as double) / cast(household_yuan as double) end
            as main_earner_share_ratio,
        cast(prior_earner_count as integer) as prior_earner_count
    from summed
)

select * from final
