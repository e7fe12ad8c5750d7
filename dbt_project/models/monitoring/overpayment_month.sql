with
claim as (
    select * from {{ ref('overpayment_claim') }}
),

payment as (
    select * from {{ ref('payment_month') }}
),

run as (
    select max(month) as last_month from {{ ref('run_month') }}
),

booking as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

precedence as (
    {{ city_policy('overpayment_rank') }}
),

review as (
    {{ city_policy('overpayment_review') }}
),

rounding as (
    {{ city_policy('amount_rounding_unit') }}
),

ranked as (
    select
        claim.*,
        precedence.value as claim_rank
    from claim
    inner join run on claim.known_from <= run.last_month
    inner join precedence on claim.known_from = precedence.month and claim.indicator = precedence.dimension_key
),

claimed as (
    select distinct
        payee_key,
        benefit,
        benefit_month
    from ranked
),

booked as (
    select
        claimed.*,
        booking.amount_yuan,
        booking.known_month,
        booking.delivery_id,
        booking.row_number
    from claimed
    inner join booking
        on
            claimed.payee_key = booking.person_key
            and claimed.benefit = booking.benefit
            and claimed.benefit_month = booking.benefit_month
),

-- Months in which something became known that may alter what is overpaid: a payment, money taken back, a reason.
news as (
    select
        payee_key,
        benefit,
        benefit_month,
        known_month as known_from
    from booked
    union
    select
        payee_key,
        benefit,
        benefit_month,
        known_from
    from ranked
    union
    select
        payee_key,
        benefit,
        benefit_month,
        known_to as known_from
    from ranked
    where known_to < date '9999-12-31'
),

state as (
    select
        *,
        lead(known_from, 1, date '9999-12-31') over (
            partition by payee_key, benefit, benefit_month order by known_from
        ) as known_to
    from news
),

-- What had been paid and taken back by then.
balance as (
    select
        state.payee_key,
        state.benefit,
        state.benefit_month,
        state.known_from,
        state.known_to,
        sum(case when booked.amount_yuan > 0 then booked.amount_yuan else 0 end) as gross_yuan,
        sum(case when booked.amount_yuan < 0 then -booked.amount_yuan else 0 end) as back_yuan,
        max(booked.amount_yuan) as highest_yuan,
        {{ evidence_list('booked.delivery_id', 'booked.row_number') }} as evidence
    from state
    inner join booked
        on
            state.payee_key = booked.payee_key
            and state.benefit = booked.benefit
            and state.benefit_month = booked.benefit_month
            and state.known_from >= booked.known_month
    group by state.payee_key, state.benefit, state.benefit_month, state.known_from, state.known_to
),

-- One claim a person (one for the family, one for what was paid twice), the first in rank: no money is claimed twice.
standing as (
    select
        balance.payee_key,
        balance.benefit,
        balance.benefit_month,
        balance.known_from,
        balance.known_to,
        balance.gross_yuan,
        balance.back_yuan,
        balance.highest_yuan,
        payment.head_count,
        payment.register_month,
        payment.certificate_no,
        ranked.person_key,
        ranked.indicator,
        ranked.kind,
        ranked.event,
        ranked.event_on,
        ranked.stop_month,
        ranked.claim_rank,
        {{ evidence_concat('balance.evidence', 'ranked.evidence') }} as evidence
    from balance
    inner join payment
        on
            balance.payee_key = payment.person_key
            and balance.benefit = payment.benefit
            and balance.benefit_month = payment.benefit_month
    inner join ranked
        on
            balance.payee_key = ranked.payee_key
            and balance.benefit = ranked.benefit
            and balance.benefit_month = ranked.benefit_month
            and balance.known_from >= ranked.known_from
            and balance.known_from < ranked.known_to
    qualify
        row_number() over (
            partition by
                balance.payee_key,
                balance.benefit,
                balance.benefit_month,
                balance.known_from,
                ranked.kind,
                ranked.person_key
            order by ranked.claim_rank, ranked.event
        ) = 1
),

-- Heads of the certificate that are out with this claim and those before it.
counted as (
    select
        *,
        row_number() over (
            partition by payee_key, benefit, benefit_month, known_from order by claim_rank, person_key, kind, event
        ) as position,
        least(
            head_count,
            sum(case kind when 'share' then 1 when 'family' then head_count else 0 end) over (
                partition by payee_key, benefit, benefit_month, known_from
                order by claim_rank, person_key, kind, event
                rows between unbounded preceding and current row
            )
        ) as heads_out,
        sum(case when kind = 'excess' then gross_yuan - highest_yuan else 0 end) over (
            partition by payee_key, benefit, benefit_month, known_from
            order by claim_rank, person_key, kind, event
            rows between unbounded preceding and current row
        ) as excess_yuan
    from standing
),

-- What would be left for the others: the amount a head times those who stay, rounded up as amounts are.
remaining as (
    select
        counted.*,
        least(
            counted.gross_yuan,
            ceil(
                cast(counted.gross_yuan * 100 as bigint) * (counted.head_count - counted.heads_out)
                / (counted.head_count * rounding.value * 100)
            ) * rounding.value
        ) as left_yuan
    from counted
    inner join rounding on counted.register_month = rounding.month
),

claimed_so_far as (
    select
        *,
        least(gross_yuan, gross_yuan - {{ yuan('left_yuan') }} + excess_yuan) as total_yuan
    from remaining
),

-- What was taken back settles the first claims first.
settled as (
    select
        *,
        greatest(total_yuan - back_yuan, 0)
        - greatest(
            coalesce(
                lag(total_yuan) over (
                    partition by payee_key, benefit, benefit_month, known_from order by position
                ),
                0
            )
            - back_yuan,
            0
        ) as overpaid_yuan
    from claimed_so_far
),

merged as (
    select
        person_key,
        payee_key,
        indicator,
        benefit,
        benefit_month,
        known_from,
        known_to,
        min(certificate_no) as certificate_no,
        {{ value_at_max('event', '-position') }} as event,
        min(event_on) as event_on,
        min(stop_month) as stop_month,
        max(head_count) as head_count,
        max(gross_yuan) - max(back_yuan) as paid_yuan,
        sum(overpaid_yuan) as overpaid_yuan,
        {{ evidence_union('evidence') }} as evidence
    from settled
    where overpaid_yuan > 0
    group by person_key, payee_key, indicator, benefit, benefit_month, known_from, known_to
),

final as (
    select
        merged.person_key,
        merged.payee_key,
        merged.indicator,
        merged.benefit,
        merged.benefit_month,
        merged.known_from,
        merged.known_to,
        merged.event,
        merged.event_on,
        merged.stop_month,
        merged.certificate_no,
        merged.head_count,
        {{ yuan('merged.paid_yuan') }} as paid_yuan,
        {{ yuan('merged.overpaid_yuan') }} as overpaid_yuan,
        review.value = 1 as is_review_needed,
        merged.evidence
    from merged
    inner join review on merged.known_from = review.month and merged.indicator = review.dimension_key
)

select * from final
