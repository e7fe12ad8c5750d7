with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

person as (
    select * from {{ ref('person') }}
),

registration as (
    select * from {{ ref('hukou_household_member') }}
    where status = '1'
),

child as (
    select * from {{ ref('person_child_register') }}
    where child_category in ('1', '2')
),

age as (
    {{ policy_parameter('old_age_allowance_age') }}
),

majority as (
    {{ policy_parameter('majority_age') }}
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

-- The months of grace are over: with one of them, who turned of age in March is missed in April, where neither month
-- was paid.
due_old_age as (
    select
        member.month,
        member.household_id,
        member.person_key,
        household.county_code,
        'GL' as kind,
        member.age_years as value,
        age.value as threshold,
        registration.valid_from as told_month,
        registration.delivery_id,
        registration.row_number
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join person on member.person_key = person.person_key
    inner join age on household.month = age.month and household.county_code = age.county_code
    inner join grace on household.month = grace.month and household.county_code = grace.county_code
    inner join registration
        on member.person_key = registration.person_key and {{ in_force('member.month', 'registration') }}
    where {{ months_between('person.born_on', 'member.month') }} >= age.value * 12 + grace.value
),

due_child as (
    select
        member.month,
        member.household_id,
        member.person_key,
        household.county_code,
        'child' as kind,
        member.age_years as value,
        majority.value as threshold,
        child.valid_from as told_month,
        child.delivery_id,
        child.row_number
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join child on member.person_key = child.person_key and {{ in_force('member.month', 'child') }}
    inner join majority on household.month = majority.month and household.county_code = majority.county_code
    inner join grace on household.month = grace.month and household.county_code = grace.county_code
    where
        member.age_years < majority.value
        and {{ months_between('child.recognised_on', 'member.month') }} >= grace.value
),

due as (
    select * from due_old_age
    union all
    select * from due_child
),

-- Any entry in the payment file, a returned one too: then it is the account that has to be put right.
payment as (
    select distinct
        person_key,
        case when benefit = 'GL' then 'GL' else 'child' end as kind,
        benefit_month
    from {{ ref('person_payment') }}
    where benefit in ('GL', 'GE', 'SS')
),

arrival as (
    {{ arrived_months('assistance_payment') }}
),

grace_months as (
    select * from grace
),

last_paid as (
    select
        due.month,
        due.person_key,
        due.kind,
        max(payment.benefit_month) as last_month
    from due
    left join payment
        on
            due.person_key = payment.person_key
            and due.kind = payment.kind
            and due.month >= payment.benefit_month
    group by due.month, due.person_key, due.kind
),

pension as (
    select distinct
        person_key,
        pension_month
    from {{ ref('person_pension') }}
),

final as (
    select
        due.month,
        'N20' as indicator,
        due.household_id,
        due.person_key,
        cast(null as varchar) as level,
        max(due.value) as value,
        max(due.threshold) as threshold,
        {{ evidence_list('due.delivery_id', 'due.row_number') }} as evidence
    from due
    inner join arrival on due.month = arrival.month and due.county_code = arrival.county_code
    inner join grace_months on due.month = grace_months.month and due.county_code = grace_months.county_code
    inner join last_paid
        on due.month = last_paid.month and due.person_key = last_paid.person_key and due.kind = last_paid.kind
    left join pension on due.person_key = pension.person_key and due.month = pension.pension_month
    where
        arrival.arrived_streak > grace_months.value
        and (
            last_paid.last_month is null
            or (
                {{ months_between('last_paid.last_month', 'due.month') }} > grace_months.value
                -- Still here: told by a register of a month after the last payment, or by a pension for this one.
                -- Where everything stops at once, the person has died or moved and the news is on its way.
                and (due.told_month > last_paid.last_month or pension.person_key is not null)
            )
        )
    group by due.month, due.household_id, due.person_key
)

select * from final
