with
payment as (
    select
        person_key,
        benefit,
        benefit_month as month,
        -- A payment for an earlier month stands in the month that tells of it.
        greatest(benefit_month, known_month) as told_month,
        delivery_id,
        row_number
    from {{ ref('person_payment') }}
    where benefit in ('CS', 'CH') and is_paid and amount_yuan > 0
),

certificate as (
    select * from {{ ref('person_disability') }}
),

lag_months as (
    {{ city_policy('allowance_stop_lag_months') }}
),

care as (
    {{ city_policy('care_allowance') }}
),

-- The state of each person's certificates in the month before which the stop lag lies.
state as (
    select
        payment.month,
        payment.person_key,
        payment.benefit,
        max(lag_months.value) as lag_value,
        max(
            case
                when
                    certificate.status = '1'
                    and (
                        certificate.valid_until is null
                        or {{ months_between('certificate.valid_until', 'payment.month') }} < lag_months.value
                    )
                    and (payment.benefit = 'CS' or (certificate.is_severe and care.value > 0))
                    then 1
                else 0
            end
        ) as is_entitled,
        {{ evidence_list('certificate.delivery_id', 'certificate.row_number') }} as evidence
    from payment
    inner join lag_months on payment.month = lag_months.month
    inner join certificate
        on payment.person_key = certificate.person_key and {{ in_force('payment.month', 'certificate') }}
    left join care on payment.month = care.month and certificate.disability_grade = care.dimension_key
    group by payment.month, payment.person_key, payment.benefit
),

-- Ended already in the month before: the change came in time to stop this payment.
ended as (
    select * from state
    where is_entitled = 0
),

before_month as (
    select distinct
        certificate.person_key,
        ended.month,
        ended.benefit
    from ended
    inner join certificate
        on
            ended.person_key = certificate.person_key
            and {{ in_force(add_months('ended.month', -1), 'certificate') }}
    left join care on ended.month = care.month and certificate.disability_grade = care.dimension_key
    where
        certificate.status = '1'
        and (
            certificate.valid_until is null
            or {{ months_between('certificate.valid_until', 'ended.month') }} < ended.lag_value
        )
        and (ended.benefit = 'CS' or (certificate.is_severe and care.value > 0))
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
        payment.told_month as month,
        'X07' as indicator,
        member.household_id,
        ended.person_key,
        cast(null as string) as level,
        count(distinct ended.benefit) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_concat(
            evidence_list('payment.delivery_id', 'payment.row_number'),
            evidence_union('ended.evidence')
        ) }} as evidence
    from ended
    inner join payment
        on
            ended.month = payment.month
            and ended.person_key = payment.person_key
            and ended.benefit = payment.benefit
    left join before_month
        on
            ended.month = before_month.month
            and ended.person_key = before_month.person_key
            and ended.benefit = before_month.benefit
    left join member on payment.told_month = member.month and ended.person_key = member.person_key
    where before_month.person_key is null
    group by payment.told_month, member.household_id, ended.person_key
)

select * from final
