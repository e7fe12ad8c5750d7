with
months as (
    select * from {{ ref('run_month') }}
),

run as (
    select max(month) as last_month from months
),

members as (
    select * from {{ ref('household_member_month') }}
),

household_stay as (
    select
        household_id,
        month,
        lead(month) over (partition by household_id order by month) as month_after
    from {{ ref('household_month') }}
    where counted_member_count > 0
),

-- On the register: dated by the approval, observed in the first month whose register shows the certificate.
register_event as (
    select
        household_id,
        'register' as event,
        {{ month_of('approved_on') }} as event_month,
        min(month) as observed_month
    from {{ ref('benefit_member_month') }}
    where household_id is not null
    group by household_id, approved_on
),

-- Paid for a month though not in the three months before: dated by the first month paid for.
paid_month as (
    select distinct
        members.household_id,
        payments.benefit_month as event_month,
        {{ month_number('payments.benefit_month') }} as month_number,
        greatest(payments.known_month, payments.benefit_month) as observed_month
    from {{ ref('person_payment') }} as payments
    inner join members
        on
            greatest(payments.known_month, payments.benefit_month) = members.month
            and payments.person_key = members.person_key
    where payments.is_paid and payments.amount_yuan > 0 and payments.benefit in ('DB', 'TK')
),

payment_step as (
    select
        household_id,
        event_month,
        observed_month,
        month_number,
        lag(month_number) over (partition by household_id order by month_number, observed_month) as number_before
    from paid_month
),

payment_event as (
    select
        household_id,
        'payment' as event,
        event_month,
        observed_month
    from payment_step
    where number_before is null or month_number - number_before > 3
),

visit_event as (
    select distinct
        household_id,
        case outcome when '1' then 'visit' else 'visit_temporary' end as event,
        {{ month_of('visited_on') }} as event_month,
        greatest(known_month, {{ month_of('visited_on') }}) as observed_month
    from {{ ref('person_visit') }}
    where household_id is not null and outcome in ('1', '2')
),

-- Died out, moved away, or merged into another household: not there in the month after. One that comes back later
-- has departed all the same, as was known in that month.
departed_event as (
    select
        household_stay.household_id,
        'departed' as event,
        {{ add_months('household_stay.month', 1) }} as event_month,
        {{ add_months('household_stay.month', 1) }} as observed_month
    from household_stay
    cross join run
    where
        household_stay.month < run.last_month
        and (
            household_stay.month_after is null
            or household_stay.month_after > {{ add_months('household_stay.month', 1) }}
        )
),

final as (
    select * from register_event
    union all
    select * from payment_event
    union all
    select * from visit_event
    union all
    select * from departed_event
)

select
    household_id,
    event,
    cast(event_month as date) as event_month,
    cast(observed_month as date) as observed_month
from final
where event_month is not null
