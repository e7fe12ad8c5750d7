with
entry as (
    select * from {{ ref('register_entry') }}
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

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

register_arrival as (
    {{ arrived_months('assistance_register') }}
),

-- Whom no register knows belongs to no county: for them the values of the city hold.
city_grace as (
    {{ city_policy('payment_grace_months') }}
),

city_arrival as (
    select
        month,
        min(arrived_streak) as arrived_streak
    from register_arrival
    group by month
),

payment_arrival as (
    {{ arrived_months('assistance_payment') }}
),

-- Money that only somebody on the register gets.
payment as (
    select
        person_key,
        benefit_month,
        known_month,
        is_paid,
        amount_yuan,
        delivery_id,
        row_number
    from {{ ref('person_payment') }}
    where benefit in ('DB', 'TK')
),

named as (
    select
        month,
        person_key
    from entry
    union
    select
        month,
        applicant_key as person_key
    from entry
),

-- Somebody whom no register knows at all has no household and is paid nevertheless.
paid as (
    select
        payment.benefit_month as month,
        payment.person_key,
        member.household_id,
        payment.amount_yuan,
        coalesce(grace.value, city_grace.value) as grace_months,
        coalesce(arrival.arrived_streak, city_arrival.arrived_streak) as arrived_streak,
        payment.delivery_id,
        payment.row_number
    from payment
    inner join city_grace on payment.benefit_month = city_grace.month
    inner join city_arrival on payment.benefit_month = city_arrival.month
    left join member on payment.person_key = member.person_key and payment.benefit_month = member.month
    left join household on member.month = household.month and member.household_id = household.household_id
    left join grace on household.month = grace.month and household.county_code = grace.county_code
    left join register_arrival as arrival
        on household.month = arrival.month and household.county_code = arrival.county_code
    where payment.is_paid and payment.amount_yuan > 0 and payment.known_month <= payment.benefit_month
),

-- When the payee was named last by the month of the payment: looked up by equal keys, since the join on a range of
-- months grew with the square of the months.
named_or_paid as (
    select
        person_key,
        month,
        {{ month_number('month') }} as named_number
    from named
    union all
    select distinct
        person_key,
        month,
        cast(null as integer) as named_number
    from paid
),

named_before as (
    select
        person_key,
        month,
        max(named_number) over (partition by person_key order by month) as last_named_number
    from named_or_paid
    -- All rows of a month see the same.
    qualify row_number() over (partition by person_key, month order by named_number) = 1
),

paid_unnamed as (
    select
        paid.month,
        paid.household_id,
        paid.person_key,
        max(paid.amount_yuan) as value,
        {{ evidence_list('paid.delivery_id', 'paid.row_number') }} as evidence
    from paid
    inner join named_before
        on
            paid.person_key = named_before.person_key
            and paid.month = named_before.month
    where
        paid.arrived_streak > paid.grace_months
        and coalesce({{ month_number('paid.month') }} - named_before.last_named_number > paid.grace_months, true)
    group by paid.month, paid.household_id, paid.person_key
),

payee as (
    select distinct
        certificate_no,
        person_key
    from entry
    union
    select distinct
        certificate_no,
        applicant_key as person_key
    from entry
),

paid_person as (
    select
        payee.certificate_no,
        payment.benefit_month,
        min(payment.known_month) as known_month
    from payee
    inner join payment on payee.person_key = payment.person_key
    group by payee.certificate_no, payment.benefit_month
),

certificate as (
    select
        month,
        certificate_no,
        county_code,
        coalesce(max(case when is_applicant then household_id end), max(household_id)) as household_id,
        max(applicant_key) as applicant_key,
        max(monthly_amount_yuan) as monthly_amount_yuan,
        max(approved_on) as approved_on,
        {{ evidence_list() }} as evidence
    from entry
    where layer in ('dibao', 'destitute')
    group by month, certificate_no, county_code
),

named_unpaid as (
    select
        certificate.month,
        certificate.household_id,
        certificate.applicant_key as person_key,
        certificate.monthly_amount_yuan as value,
        certificate.evidence
    from certificate
    inner join grace on certificate.month = grace.month and certificate.county_code = grace.county_code
    inner join payment_arrival as arrival
        on certificate.month = arrival.month and certificate.county_code = arrival.county_code
    left join paid_person
        on
            certificate.certificate_no = paid_person.certificate_no
            and certificate.month >= paid_person.benefit_month
            and certificate.month >= paid_person.known_month
            and {{ months_between('paid_person.benefit_month', 'certificate.month') }} <= grace.value
    where
        certificate.monthly_amount_yuan > 0
        and {{ months_between('certificate.approved_on', 'certificate.month') }} > grace.value
        and arrival.arrived_streak > grace.value
        and paid_person.certificate_no is null
),

found as (
    select * from paid_unnamed
    union all
    select * from named_unpaid
),

final as (
    select
        month,
        'X10' as indicator,
        household_id,
        min(person_key) as person_key,
        cast(null as string) as level,
        max(value) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_union('evidence') }} as evidence
    from found
    group by month, household_id, case when household_id is null then person_key end
)

select * from final
