with
entry as (
    select * from {{ ref('register_entry') }}
),

two_certificates as (
    select
        month,
        person_key,
        count(distinct certificate_no) as value,
        {{ evidence_list() }} as evidence
    from entry
    group by month, person_key
    having count(distinct certificate_no) >= 2
),

-- A negative payment takes one back.
booked as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

payment as (
    select * from booked
    where amount_yuan > 0
),

overlap as (
    select * from {{ source('reference', 'benefit_overlap') }}
),

-- Two benefits of one month that exclude each other.
excluded_pair as (
    select
        greatest(first.known_month, second.known_month) as month,
        first.person_key,
        2 as value,
        {{ evidence_concat(
            evidence_list('first.delivery_id', 'first.row_number'),
            evidence_list('second.delivery_id', 'second.row_number')
        ) }} as evidence
    from payment as first
    inner join overlap on first.benefit = overlap.benefit_a and overlap.rule = 'excluded'
    inner join payment as second
        on
            first.person_key = second.person_key
            and first.benefit_month = second.benefit_month
            and overlap.benefit_b = second.benefit
    group by greatest(first.known_month, second.known_month), first.person_key
),

-- One benefit that is due once a month, paid in two batches, and more than one of them kept.
paid_twice as (
    select
        max(booked.known_month) as month,
        booked.person_key,
        count(distinct case when booked.amount_yuan > 0 then booked.batch_no end) as value,
        {{ evidence_list('booked.delivery_id', 'booked.row_number') }} as evidence
    from booked
    inner join overlap
        on booked.benefit = overlap.benefit_a and overlap.benefit_a = overlap.benefit_b and overlap.rule = 'once'
    group by booked.person_key, booked.benefit, booked.benefit_month
    having
        count(distinct case when booked.amount_yuan > 0 then booked.batch_no end) >= 2
        and sum(booked.amount_yuan) > max(booked.amount_yuan)
),

found as (
    select * from two_certificates
    union all
    select * from excluded_pair
    union all
    select * from paid_twice
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

final as (
    select
        found.month,
        'X06' as indicator,
        member.household_id,
        found.person_key,
        cast(null as string) as level,
        max(found.value) as value,
        cast(1 as decimal(18, 4)) as threshold,
        {{ evidence_union('found.evidence') }} as evidence
    from found
    left join member on found.month = member.month and found.person_key = member.person_key
    group by found.month, member.household_id, found.person_key
)

select * from final
