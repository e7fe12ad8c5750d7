with
certificate as (
    select * from {{ ref('register_household_month') }}
    where {{ since_rebuild('month') }} and is_household
),

member as (
    select
        month,
        certificate_no,
        person_key,
        applicant_key
    from {{ ref('benefit_member_month') }}
    where {{ since_rebuild('month', windows=['payment_grace_months']) }}
),

counted_member as (
    select
        month,
        person_key,
        household_id,
        is_counted
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

household as (
    select
        month,
        household_id,
        village_code
    from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

place as (
    select * from {{ ref('place') }}
),

-- Money that only somebody on the register gets, told by the file of its own month.
payment as (
    select
        person_key,
        benefit_month as month,
        max(case when is_paid and amount_yuan > 0 then 1 else 0 end) as is_paid
    from {{ ref('person_payment') }}
    where
        benefit in {{ register_benefits() }}
        and known_month <= benefit_month
        and {{ since_rebuild('benefit_month', windows=['payment_grace_months']) }}
    group by person_key, benefit_month
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

payment_arrival as (
    {{ arrived_months('assistance_payment') }}
),

register_arrival as (
    {{ arrived_months('assistance_register') }}
),

mismatch as (
    select distinct
        month,
        household_id
    from {{ ref('indicator_hit') }}
    where {{ since_rebuild('month') }} and indicator = 'X10'
),

payee as (
    select
        month,
        certificate_no,
        person_key
    from member
    union distinct
    select
        month,
        certificate_no,
        applicant_key as person_key
    from member
),

paid_certificate as (
    select
        payee.month,
        payee.certificate_no,
        max(payment.is_paid) as is_paid
    from payee
    inner join payment on payee.month = payment.month and payee.person_key = payment.person_key
    group by payee.month, payee.certificate_no
),

-- Certificates of which nobody is left at home.
left_alone as (
    select
        member.month,
        member.certificate_no
    from member
    inner join counted_member on member.month = counted_member.month and member.person_key = counted_member.person_key
    group by member.month, member.certificate_no
    having not bool_or(counted_member.is_counted)
),

entitled as (
    select
        'entitled_and_paid' as check_id,
        certificate.month,
        certificate.village_code,
        certificate.certificate_no as counted,
        case
            when not coalesce(arrival.is_arrived, true) then 'payment_file_missing'
            when certificate.is_register_stale then 'register_carried_forward'
            when paid.certificate_no is not null then 'payment_returned'
            when {{ months_between('certificate.approved_on', 'certificate.month') }} <= grace.value
                then 'first_payment_pending'
            when mismatch.household_id is not null then 'found_as_x10'
            when left_alone.certificate_no is not null then 'stopped_by_event'
            when
                exists (
                    select 1
                    from paid_certificate as earlier
                    where
                        earlier.certificate_no = certificate.certificate_no
                        and earlier.is_paid = 1
                        and earlier.month < certificate.month
                        and {{ months_between('earlier.month', 'certificate.month') }} <= grace.value
                )
                then 'payment_gap_in_grace'
        end as reason
    from certificate
    left join paid_certificate as paid
        on certificate.month = paid.month and certificate.certificate_no = paid.certificate_no
    left join payment_arrival as arrival
        on
            certificate.month = arrival.month
            and {{ area_on('county', 'certificate.village_code') }} = arrival.county_code
    left join grace
        on
            certificate.month = grace.month
            and {{ area_on('county', 'certificate.village_code') }} = grace.county_code
    left join mismatch on certificate.month = mismatch.month and certificate.household_id = mismatch.household_id
    left join left_alone
        on certificate.month = left_alone.month and certificate.certificate_no = left_alone.certificate_no
    where
        certificate.layer in {{ register_benefit_layers() }}
        and certificate.monthly_amount_yuan > 0
        and coalesce(paid.is_paid, 0) = 0
),

registered as (
    select distinct
        month,
        person_key
    from payee
),

unregistered as (
    select
        'paid_and_registered' as check_id,
        payment.month,
        place.village_code,
        payment.person_key as counted,
        case
            when household.household_id is null then 'not_living_here'
            when not coalesce(arrival.is_arrived, true) then 'register_carried_forward'
            when mismatch.household_id is not null then 'found_as_x10'
            when
                exists (
                    select 1
                    from registered as earlier
                    where
                        earlier.person_key = payment.person_key
                        and earlier.month < payment.month
                        and {{ months_between('earlier.month', 'payment.month') }} <= grace.value
                )
                then 'left_in_grace'
        end as reason
    from payment
    left join registered on payment.month = registered.month and payment.person_key = registered.person_key
    left join counted_member on payment.month = counted_member.month and payment.person_key = counted_member.person_key
    left join household
        on counted_member.month = household.month and counted_member.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
    left join register_arrival as arrival
        on payment.month = arrival.month and {{ area_on('county', 'place.village_code') }} = arrival.county_code
    left join grace
        on payment.month = grace.month and {{ area_on('county', 'place.village_code') }} = grace.county_code
    left join mismatch on household.month = mismatch.month and household.household_id = mismatch.household_id
    where payment.is_paid = 1 and registered.person_key is null
),

final as (
    select * from entitled
    union all
    select unregistered.*
    from unregistered
    inner join {{ ref('run_month') }} as run_month on unregistered.month = run_month.month
)

select * from final
