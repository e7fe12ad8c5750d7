with
custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

lag_months as (
    {{ city_policy('stop_lag_months') }}
),

entry as (
    select
        month,
        person_key,
        delivery_id,
        row_number
    from {{ ref('register_entry') }}
),

-- What stops at custody; a benefit not named there goes on.
stopped as (
    select benefit from {{ source('reference', 'benefit') }}
    where stops_at = 'custody'
),

paid as (
    select
        payment.person_key,
        -- A payment for an earlier month stands in the month that tells of it.
        greatest(payment.benefit_month, payment.known_month) as month,
        payment.benefit_month as claim_month,
        payment.delivery_id,
        payment.row_number
    from {{ ref('person_payment') }} as payment
    inner join stopped on payment.benefit = stopped.benefit
    where payment.is_paid and payment.amount_yuan > 0
),

claim as (
    select
        month,
        month as claim_month,
        person_key,
        delivery_id,
        row_number
    from entry
    union all
    select
        month,
        claim_month,
        person_key,
        delivery_id,
        row_number
    from paid
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
        claim.month,
        'X02' as indicator,
        member.household_id,
        claim.person_key,
        cast(null as string) as level,
        max({{ months_between('custody.from_date', 'claim.claim_month') }}) as value,
        max(lag_months.value) as threshold,
        {{ evidence_concat(
            evidence_list('claim.delivery_id', 'claim.row_number'),
            evidence_list('custody.delivery_id', 'custody.row_number')
        ) }} as evidence
    from claim
    inner join custody on claim.person_key = custody.person_key and {{ in_force('claim.month', 'custody') }}
    inner join lag_months on claim.month = lag_months.month and lag_months.dimension_key = 'custody'
    left join member on claim.month = member.month and claim.person_key = member.person_key
    where
        {{ months_between('custody.from_date', 'claim.claim_month') }} >= lag_months.value
        -- Released by its own term, though the register has not said so yet.
        and (custody.until_date is null or custody.until_date >= claim.claim_month)
    group by claim.month, member.household_id, claim.person_key
)

select * from final
