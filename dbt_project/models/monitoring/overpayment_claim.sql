{%- set payment_key = ['payee_key', 'benefit', 'benefit_month'] -%}
with
payment as (
    select
        *,
        person_key as payee_key
    from {{ ref('payment_month') }}
),

event as (
    select * from {{ ref('stop_event') }}
),

member as (
    select
        month,
        certificate_no,
        person_key
    from {{ ref('benefit_member_month') }}
),

conflict as (
    select * from {{ ref('benefit_conflict_month') }}
),

certificate as (
    select
        month,
        certificate_no,
        household_id
    from {{ ref('benefit_household_month') }}
),

property as (
    select * from {{ ref('x04_property_over_limit') }}
),

income as (
    select * from {{ ref('x05_income_over_line') }}
),

stops as (
    select
        benefit,
        stops_at
    from {{ source('reference', 'benefit') }}
),

overlap as (
    select * from {{ source('reference', 'benefit_overlap') }}
),

lag_months as (
    {{ city_policy('stop_lag_months') }}
),

phase_ratio as (
    {{ city_policy('phase_out_ratio') }}
),

phase_months as (
    {{ city_policy('phase_out_months') }}
),

booking as (
    select * from {{ ref('person_payment') }}
    where is_paid and amount_yuan > 0
),

-- For whom money was paid: the payee, and of a benefit of the household all whom the certificate names.
meant as (
    select
        {{ qualified('payment', payment_key) }},
        payment.register_month,
        payment.known_month,
        payment.person_key
    from payment
    union all
    select
        {{ qualified('payment', payment_key) }},
        payment.register_month,
        payment.known_month,
        member.person_key
    from payment
    inner join member
        on
            payment.register_month = member.month
            and payment.certificate_no = member.certificate_no
            and payment.payee_key <> member.person_key
    where payment.is_household_benefit
),

-- X01 to X03: the day and the months of grace are over, and the event had not ended. The row that told it first counts.
ended as (
    select
        {{ qualified('meant', payment_key) }},
        meant.person_key,
        event.indicator,
        'share' as kind,
        event.event,
        event.event_on,
        {{ add_months(month_of('event.event_on'), 'cast(lag_months.value as integer)') }} as stop_month,
        greatest(meant.known_month, event.known_month, meant.register_month) as known_from,
        date '9999-12-31' as known_to,
        {{ one_evidence('event.delivery_id', 'event.row_number') }} as evidence
    from meant
    inner join event on meant.person_key = event.person_key
    inner join stops on meant.benefit = stops.benefit and event.event = stops.stops_at
    inner join lag_months on meant.register_month = lag_months.month and event.event = lag_months.dimension_key
    where
        {{ months_between('event.event_on', 'meant.benefit_month') }} >= lag_months.value
        and meant.benefit_month < event.told_until
        and (event.ends_on is null or event.ends_on >= meant.benefit_month)
    qualify
        row_number() over (
            partition by {{ qualified('meant', payment_key) }}, meant.person_key, event.indicator
            order by event.known_month, event.event_on, event.delivery_id, event.row_number
        ) = 1
),

-- X06, two benefits that exclude each other: which of them goes is said by the overlap, else it is the lower one.
pair as (
    select
        first.payee_key,
        first.benefit_month,
        case
            when overlap.goes in (first.benefit, second.benefit) then overlap.goes
            when
                cast(first.first_yuan as double) / first.head_count
                < cast(second.first_yuan as double) / second.head_count
                then first.benefit
            else second.benefit
        end as benefit,
        first.benefit as benefit_a,
        second.benefit as benefit_b,
        greatest(first.known_month, second.known_month, first.register_month) as known_from,
        least(first.void_month, second.void_month) as known_to
    from payment as first
    inner join overlap on first.benefit = overlap.benefit_a and overlap.rule = 'excluded'
    inner join payment as second
        on
            first.payee_key = second.payee_key
            and first.benefit_month = second.benefit_month
            and overlap.benefit_b = second.benefit
),

excluded as (
    select
        pair.payee_key,
        pair.benefit,
        pair.benefit_month,
        pair.payee_key as person_key,
        'X06' as indicator,
        'share' as kind,
        'excluded_pair' as event,
        pair.benefit_month as event_on,
        pair.benefit_month as stop_month,
        max(pair.known_from) as known_from,
        max(pair.known_to) as known_to,
        {{ evidence_list('booking.delivery_id', 'booking.row_number') }} as evidence
    from pair
    inner join booking
        on
            pair.payee_key = booking.person_key
            and pair.benefit_month = booking.benefit_month
            and booking.benefit in (pair.benefit_a, pair.benefit_b)
    where pair.known_from < pair.known_to
    group by pair.payee_key, pair.benefit, pair.benefit_month
),

-- X06, a person on two certificates: what the one that does not count here was paid for that person.
certified_twice as (
    select
        {{ qualified('payment', payment_key) }},
        conflict.person_key,
        'X06' as indicator,
        'share' as kind,
        'two_certificates' as event,
        max(conflict.conflict_on) as event_on,
        min(conflict.month) as stop_month,
        max(greatest(payment.known_month, conflict.month)) as known_from,
        date '9999-12-31' as known_to,
        {{ evidence_concat(
            evidence_list('conflict.delivery_id', 'conflict.row_number'),
            evidence_list('conflict.other_delivery_id', 'conflict.other_row_number')
        ) }} as evidence
    from conflict
    inner join payment
        on conflict.month = payment.register_month and conflict.other_certificate_no = payment.certificate_no
    inner join stops on payment.benefit = stops.benefit and stops.stops_at = 'property'
    where payment.is_household_benefit or payment.payee_key = conflict.person_key
    group by {{ qualified('payment', payment_key) }}, conflict.person_key
),

-- X06, more than one payment where one is due: a benefit that is paid once, or the applicant of two certificates.
batch as (
    select
        *,
        min(known_month) over (partition by person_key, benefit, benefit_month) as first_known_month,
        count(*) over (partition by person_key, benefit, benefit_month) as batch_count,
        row_number() over (
            partition by person_key, benefit, benefit_month order by known_month, batch_no
        ) as batch_position
    from booking
),

once as (
    select benefit_a as benefit from overlap
    where rule = 'once' and benefit_a = benefit_b
),

excess as (
    select
        {{ qualified('payment', payment_key) }},
        payment.payee_key as person_key,
        'X06' as indicator,
        'excess' as kind,
        'paid_twice' as event,
        payment.benefit_month as event_on,
        payment.benefit_month as stop_month,
        greatest(min(case when batch.batch_position = 2 then batch.known_month end), max(payment.register_month))
            as known_from,
        date '9999-12-31' as known_to,
        {{ evidence_list('batch.delivery_id', 'batch.row_number') }} as evidence
    from payment
    inner join batch
        on
            payment.payee_key = batch.person_key
            and payment.benefit = batch.benefit
            and payment.benefit_month = batch.benefit_month
            and batch.batch_count > 1
    left join once on payment.benefit = once.benefit
    left join conflict
        on
            payment.register_month = conflict.month
            and payment.payee_key = conflict.person_key
            and payment.certificate_no in (conflict.certificate_no, conflict.other_certificate_no)
    where once.benefit is not null or (conflict.person_key is not null and payment.is_household_benefit)
    group by {{ qualified('payment', payment_key) }}
),

over_limit as (
    select
        month,
        household_id,
        evidence,
        min(month) over (partition by household_id, spell_number) as first_month
    from (
        select
            *,
            {{ month_number('month') }} - row_number() over (partition by household_id order by month) as spell_number
        from property
    ) as spell
),

over_line as (
    select
        *,
        min(month) over (partition by household_id, spell_number) as first_month,
        -- So high that there is no phase-out.
        min(case when is_beyond then month end) over (partition by household_id, spell_number) as beyond_month
    from (
        select
            income.month,
            income.household_id,
            income.evidence,
            income.value >= phase_ratio.value * income.threshold as is_beyond,
            {{ month_number('income.month') }}
            - row_number() over (partition by income.household_id order by income.month) as spell_number
        from income
        inner join phase_ratio on income.month = phase_ratio.month
    ) as spell
),

-- X04 and X05: from when on the whole family should be out.
family_out as (
    select
        over_limit.month,
        over_limit.household_id,
        'X04' as indicator,
        'property' as event,
        over_limit.first_month as event_on,
        {{ add_months('over_limit.first_month', 'cast(lag_months.value as integer)') }} as stop_month,
        over_limit.evidence
    from over_limit
    inner join lag_months on over_limit.month = lag_months.month and lag_months.dimension_key = 'property'
    union all
    select
        over_line.month,
        over_line.household_id,
        'X05' as indicator,
        'income' as event,
        over_line.first_month as event_on,
        least(
            {{ add_months('over_line.first_month', 'cast(lag_months.value + phase_months.value as integer)') }},
            coalesce(
                {{ add_months('over_line.beyond_month', 'cast(lag_months.value as integer)') }}, date '9999-12-31'
            )
        ) as stop_month,
        over_line.evidence
    from over_line
    inner join lag_months on over_line.month = lag_months.month and lag_months.dimension_key = 'income'
    inner join phase_months on over_line.month = phase_months.month
),

family as (
    select
        {{ qualified('payment', payment_key) }},
        payment.payee_key as person_key,
        family_out.indicator,
        'family' as kind,
        family_out.event,
        family_out.event_on,
        family_out.stop_month,
        greatest(payment.known_month, family_out.month) as known_from,
        date '9999-12-31' as known_to,
        family_out.evidence
    from family_out
    inner join certificate
        on family_out.month = certificate.month and family_out.household_id = certificate.household_id
    inner join payment
        on certificate.certificate_no = payment.certificate_no and family_out.month = payment.benefit_month
    inner join stops on payment.benefit = stops.benefit and family_out.event = stops.stops_at
    where family_out.month >= family_out.stop_month
),

final as (
    select * from ended
    union all
    select * from excluded
    union all
    select * from certified_twice
    union all
    select * from excess
    union all
    select * from family
)

select * from final
