with
member as (
    select * from {{ ref('benefit_member_month') }}
),

run as (
    select max(month) as last_month from {{ ref('run_month') }}
),

grace as (
    {{ city_policy('payment_grace_months') }}
),

-- The row of the month before, where one was there; a single missing row may be a quarantined one.
followed as (
    select
        member.*,
        cast(grace.value as integer) as grace_months,
        lag(member.month) over stay as month_before,
        lead(member.month) over stay as month_after,
        lag(member.programme) over stay as programme_before,
        lag(member.monthly_amount_yuan) over stay as amount_before
    from member
    inner join grace on member.month = grace.month
    window stay as (partition by member.certificate_no, member.person_key order by member.month)
),

marked as (
    select
        *,
        month_before is null
        or {{ months_between('month_before', 'month') }} > grace_months + 1 as is_entry,
        coalesce({{ months_between('month', 'month_after') }} > grace_months + 1, true) as is_last
    from followed
),

entered as (
    select
        marked.*,
        'register_entered' as kind,
        -- Who was there from the first register on entered on the day of approval, as it says.
        case when month_before is null and approved_on < {{ add_months('month', 1) }} then approved_on else month end
            as event_on,
        month as known_month
    from marked
    where is_entry
),

changed as (
    select
        marked.*,
        'register_programme_changed' as kind,
        month as event_on,
        month as known_month
    from marked
    where not is_entry and programme <> programme_before
    union all
    select
        marked.*,
        'register_amount_changed' as kind,
        month as event_on,
        month as known_month
    from marked
    where not is_entry and is_applicant and monthly_amount_yuan <> amount_before
),

left_again as (
    select
        marked.*,
        'register_left' as kind,
        {{ add_months('marked.month', 1) }} as event_on,
        {{ add_months('marked.month', 'marked.grace_months + 1') }} as known_month
    from marked
    inner join run on {{ add_months('marked.month', 'marked.grace_months + 1') }} <= run.last_month
    where marked.is_last
),

told as (
    select * from entered
    union all
    select * from changed
    union all
    select * from left_again
),

final as (
    select
        kind,
        'register' as nature,
        'assistance_register' as feed,
        person_key,
        cast(null as string) as household_id,
        event_on,
        known_month as month,
        cast(null as string) as benefit,
        'programme' as code_table,
        programme as code,
        certificate_no,
        event_on as period_from,
        cast(null as date) as period_to,
        monthly_amount_yuan as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from told
)

select * from final
