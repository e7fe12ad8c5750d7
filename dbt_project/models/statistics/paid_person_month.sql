with
payment as (
    select * from {{ ref('person_payment') }}
    where {{ since_rebuild('known_month') }}
),

month as (
    select * from {{ ref('run_month') }}
),

registered as (
    select * from {{ ref('register_person_month') }}
    where {{ since_rebuild('month') }}
),

member as (
    select
        month,
        person_key,
        household_id
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

household as (
    select
        month,
        household_id,
        village_code,
        register_layer
    from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

place as (
    select * from {{ ref('place') }}
),

-- The month of a payment is the one whose file told of it first: what a later file adds is of the later month.
summed as (
    select
        payment.known_month as month,
        payment.person_key,
        payment.benefit,
        sum(case when payment.is_paid then payment.amount_yuan else 0 end) as paid_yuan,
        sum(
            case
                when payment.is_paid and payment.benefit_month < payment.known_month then payment.amount_yuan
                else 0
            end
        ) as arrears_yuan,
        sum(case when payment.is_paid then 0 else payment.amount_yuan end) as returned_yuan
    from payment
    inner join month on payment.known_month = month.month
    group by payment.known_month, payment.person_key, payment.benefit
),

-- At the place of the certificate, else of the household; a household counts at the place of one of its payments.
placed as (
    select
        summed.*,
        member.household_id,
        coalesce(registered.layer, household.register_layer, 'none') as layer,
        coalesce(registered.village_code, place.village_code) as village_code,
        summed.paid_yuan > 0 as is_paid
    from summed
    left join registered on summed.month = registered.month and summed.person_key = registered.person_key
    left join member on summed.month = member.month and summed.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
),

final as (
    select
        month,
        person_key,
        benefit,
        household_id,
        layer,
        village_code,
        is_paid,
        {{ yuan('paid_yuan') }} as paid_yuan,
        {{ yuan('arrears_yuan') }} as arrears_yuan,
        {{ yuan('returned_yuan') }} as returned_yuan,
        -- Of the rows of a person, or of a household, the one that is counted.
        is_paid
        and row_number() over (partition by month, person_key, is_paid order by benefit) = 1 as is_person_here,
        is_paid
        and household_id is not null
        and row_number() over (
            partition by month, household_id, is_paid, benefit order by person_key
        ) = 1 as is_household_here,
        is_paid
        and household_id is not null
        and row_number() over (
            partition by month, household_id, is_paid order by person_key, benefit
        ) = 1 as is_household_here_any
    from placed
)

select * from final
