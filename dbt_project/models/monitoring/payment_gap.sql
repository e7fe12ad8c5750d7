with
once as (
    select benefit_a as benefit from {{ source('reference', 'benefit_overlap') }}
    where rule = 'once'
),

-- Paid month by month: what ends at some event, but for what is paid only when prices rise.
recurring as (
    select distinct known.benefit
    from {{ source('reference', 'benefit') }} as known
    left join once on known.benefit = once.benefit
    where once.benefit is null
),

payment as (
    select paid.*
    from {{ ref('payment_month') }} as paid
    inner join recurring on paid.benefit = recurring.benefit
),

booking as (
    select * from {{ ref('person_payment') }}
),

register as (
    select
        month,
        person_key,
        layer,
        is_applicant
    from {{ ref('benefit_member_month') }}
),

stop as (
    select
        event.person_key,
        event.event_on,
        event.ends_on,
        event.told_until,
        stops.benefit
    from {{ ref('stop_event') }} as event
    inner join {{ source('reference', 'benefit') }} as stops on event.event = stops.stops_at
),

run_month as (
    select month from {{ ref('run_month') }}
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

arrived as (
    select
        month,
        county_code
    from {{ ref('feed_month') }}
    where feed = 'assistance_payment' and is_arrived
),

gap_months as (
    {{ city_policy('chain_gap_months') }}
),

late_months as (
    {{ city_policy('chain_late_months') }}
),

paid_row as (
    select
        person_key,
        benefit,
        benefit_month,
        {{ evidence_list() }} as evidence
    from booking
    where is_paid and amount_yuan > 0
    group by person_key, benefit, benefit_month
),

stretch as (
    select
        *,
        lag(benefit_month) over (partition by person_key, benefit order by benefit_month) as month_before,
        lag(first_yuan) over (partition by person_key, benefit order by benefit_month) as yuan_before
    from payment
),

-- Paid before and paid after, nothing in between.
unpaid as (
    select
        stretch.person_key,
        stretch.benefit,
        stretch.month_before,
        stretch.benefit_month as month_after,
        stretch.yuan_before,
        stretch.known_month,
        run_month.month
    from stretch
    inner join run_month
        on stretch.month_before < run_month.month and stretch.benefit_month > run_month.month
),

-- Due in those months: dibao and destitute support to whom the register names for it, the others as before and after.
due as (
    select distinct
        unpaid.*,
        household.county_code
    from unpaid
    inner join member on unpaid.month = member.month and unpaid.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join arrived on unpaid.month = arrived.month and household.county_code = arrived.county_code
    left join register
        on
            unpaid.month = register.month
            and unpaid.person_key = register.person_key
            and (
                (unpaid.benefit = 'DB' and register.layer = 'dibao' and register.is_applicant)
                or (unpaid.benefit in ('TK', 'HL') and register.layer = 'destitute')
            )
    left join booking
        on
            unpaid.person_key = booking.person_key
            and unpaid.benefit = booking.benefit
            and unpaid.month = booking.benefit_month
            and not booking.is_paid
    left join stop
        on
            unpaid.person_key = stop.person_key
            and unpaid.benefit = stop.benefit
            and unpaid.month >= {{ month_of('stop.event_on') }}
            and unpaid.month < stop.told_until
            and (stop.ends_on is null or unpaid.month <= stop.ends_on)
    -- What the bank sent back is told apart; to whom had moved away or was detained nothing was due.
    where
        booking.person_key is null
        and stop.person_key is null
        and (unpaid.benefit not in ('DB', 'TK', 'HL') or register.person_key is not null)
),

gap as (
    select
        due.person_key,
        due.benefit,
        'payment_gap' as kind,
        min(due.month) as first_month,
        max(due.month) as last_month,
        cast(count(*) as integer) as month_count,
        max(due.yuan_before) * count(*) as amount_yuan,
        max(due.known_month) as known_month,
        {{ evidence_concat('min(before_row.evidence)', 'min(after_row.evidence)') }} as evidence
    from due
    inner join gap_months on due.month = gap_months.month
    inner join paid_row as before_row
        on
            due.person_key = before_row.person_key
            and due.benefit = before_row.benefit
            and due.month_before = before_row.benefit_month
    inner join paid_row as after_row
        on
            due.person_key = after_row.person_key
            and due.benefit = after_row.benefit
            and due.month_after = after_row.benefit_month
    group by due.person_key, due.benefit, due.month_after
    having count(*) >= max(gap_months.value)
),

returned as (
    select
        booking.person_key,
        booking.benefit,
        'payment_returned' as kind,
        booking.benefit_month as first_month,
        booking.benefit_month as last_month,
        1 as month_count,
        max(booking.amount_yuan) as amount_yuan,
        max(booking.known_month) as known_month,
        {{ evidence_list('booking.delivery_id', 'booking.row_number') }} as evidence
    from booking
    left join paid_row
        on
            booking.person_key = paid_row.person_key
            and booking.benefit = paid_row.benefit
            and booking.benefit_month = paid_row.benefit_month
    where not booking.is_paid and paid_row.person_key is null
    group by booking.person_key, booking.benefit, booking.benefit_month
),

late as (
    select
        booking.person_key,
        booking.benefit,
        'payment_late' as kind,
        booking.benefit_month as first_month,
        booking.benefit_month as last_month,
        max({{ months_between('booking.benefit_month', 'booking.paid_on') }}) as month_count,
        sum(booking.amount_yuan) as amount_yuan,
        max(booking.known_month) as known_month,
        {{ evidence_list('booking.delivery_id', 'booking.row_number') }} as evidence
    from booking
    inner join late_months on booking.known_month = late_months.month
    where
        booking.is_paid
        and booking.amount_yuan > 0
        and {{ months_between('booking.benefit_month', 'booking.paid_on') }} >= late_months.value
    group by booking.person_key, booking.benefit, booking.benefit_month
),

final as (
    select * from gap
    union all
    select * from returned
    union all
    select * from late
)

select * from final
