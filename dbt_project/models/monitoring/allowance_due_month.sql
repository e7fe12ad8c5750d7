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

in_care as (
    select distinct
        month,
        person_key
    from {{ ref('benefit_member_month') }}
    where care_mode = '1'
),

age as (
    {{ policy_parameter('old_age_allowance_age') }}
),

band as (
    {{ policy_parameter('old_age_allowance') }}
),

majority as (
    {{ policy_parameter('majority_age') }}
),

orphan_amount as (
    {{ policy_parameter('orphan_allowance') }}
),

unattended_amount as (
    {{ policy_parameter('unattended_child_allowance') }}
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

-- From the month of the birthday on; the band is the highest whose age has been reached.
due_old_age as (
    select
        member.month,
        member.household_id,
        member.person_key,
        household.county_code,
        'GL' as kind,
        'GL' as benefit,
        member.age_years as value,
        age.value as threshold,
        {{ month_of(add_months('person.born_on', 'cast(age.value * 12 as integer)')) }} as due_from_month,
        band.value as amount_due_yuan,
        registration.valid_from as told_month,
        registration.delivery_id,
        registration.row_number
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join person on member.person_key = person.person_key
    inner join age on household.month = age.month and household.county_code = age.county_code
    inner join registration
        on member.person_key = registration.person_key and {{ in_force('member.month', 'registration') }}
    left join band
        on
            household.month = band.month
            and household.county_code = band.county_code
            and cast(band.dimension_key as integer) <= member.age_years
    where {{ months_between('person.born_on', 'member.month') }} >= age.value * 12
    qualify
        row_number() over (
            partition by member.month, member.person_key
            order by
                cast(band.dimension_key as integer) desc nulls last, registration.delivery_id, registration.row_number
        ) = 1
),

due_child as (
    select
        member.month,
        member.household_id,
        member.person_key,
        household.county_code,
        'child' as kind,
        case when child.child_category = '1' then 'GE' else 'SS' end as benefit,
        member.age_years as value,
        majority.value as threshold,
        {{ month_of('child.recognised_on') }} as due_from_month,
        case when child.child_category = '1' then orphan_amount.value else unattended_amount.value end
            as amount_due_yuan,
        child.valid_from as told_month,
        child.delivery_id,
        child.row_number
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join child on member.person_key = child.person_key and {{ in_force('member.month', 'child') }}
    inner join majority on household.month = majority.month and household.county_code = majority.county_code
    left join in_care on member.month = in_care.month and member.person_key = in_care.person_key
    left join orphan_amount
        on
            household.month = orphan_amount.month
            and household.county_code = orphan_amount.county_code
            and orphan_amount.dimension_key = case when in_care.person_key is null then '2' else '1' end
    left join unattended_amount
        on household.month = unattended_amount.month and household.county_code = unattended_amount.county_code
    where member.age_years < majority.value and child.recognised_on < {{ add_months('member.month', 1) }}
    -- On the register as both: an orphan.
    qualify
        row_number() over (
            partition by member.month, member.person_key
            order by child.child_category, child.delivery_id, child.row_number
        ) = 1
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
        benefit_month,
        known_month
    from {{ ref('person_payment') }}
    where benefit in ('GL', 'GE', 'SS')
),

arrival as (
    {{ arrived_months('assistance_payment') }}
),

last_entry as (
    select
        due.month,
        due.person_key,
        due.kind,
        max(payment.benefit_month) as last_month
    from due
    inner join payment
        on
            due.person_key = payment.person_key
            and due.kind = payment.kind
            and due.month >= payment.benefit_month
            and due.month >= payment.known_month
    group by due.month, due.person_key, due.kind
),

pension as (
    select distinct
        person_key,
        pension_month
    from {{ ref('person_pension') }}
    where known_month <= pension_month
),

final as (
    select
        due.month,
        due.person_key,
        due.kind,
        due.benefit,
        due.household_id,
        due.county_code,
        due.value,
        due.threshold,
        due.due_from_month,
        {{ yuan('due.amount_due_yuan') }} as amount_due_yuan,
        last_entry.last_month as last_entry_month,
        coalesce(arrival.is_arrived, false) as is_payment_told,
        -- The months of grace are over: with one of them, who turned of age in March is missed in April, where neither
        -- month was paid. Absence counts only where the files of those months came in.
        coalesce(arrival.arrived_streak, 0) > grace.value
        and {{ months_between('due.due_from_month', 'due.month') }} >= grace.value
        and (
            last_entry.last_month is null
            or (
                {{ months_between('last_entry.last_month', 'due.month') }} > grace.value
                -- Still here: told by a register of a month after the last payment, or by a pension for this one.
                -- Where everything stops at once, the person has died or moved and the news is on its way.
                and (due.told_month > last_entry.last_month or pension.person_key is not null)
            )
        ) as is_missing,
        due.delivery_id,
        due.row_number
    from due
    inner join grace on due.month = grace.month and due.county_code = grace.county_code
    left join arrival on due.month = arrival.month and due.county_code = arrival.county_code
    left join last_entry
        on due.month = last_entry.month and due.person_key = last_entry.person_key and due.kind = last_entry.kind
    left join pension on due.person_key = pension.person_key and due.month = pension.pension_month
)

select * from final
