with
due as (
    select * from {{ ref('allowance_due_month') }}
    where kind = 'GL'
),

payment as (
    select * from {{ ref('person_payment') }}
    where benefit = 'GL' and is_paid
),

paid as (
    select
        benefit_month as month,
        person_key,
        sum(amount_yuan) as amount_paid_yuan,
        {{ evidence_list() }} as evidence
    from payment
    where known_month <= benefit_month
    group by benefit_month, person_key
),

late as (
    select
        known_month as month,
        person_key,
        sum(amount_yuan) as arrears_paid_yuan,
        {{ evidence_list() }} as evidence
    from payment
    where known_month > benefit_month
    group by known_month, person_key
),

person as (
    select * from {{ ref('person') }}
),

death as (
    select
        person_key,
        died_on,
        death_known_month
    from person
    where died_on is not null
),

-- As X01 has it: from the month that policy names on, nothing is due to the dead; what was paid stands in the month in
-- which both the payment and the death are known. Money taken back comes as a negative payment.
lag_months as (
    {{ city_policy('stop_lag_months') }}
),

after_death as (
    select
        greatest(payment.known_month, payment.benefit_month, death.death_known_month) as month,
        payment.person_key,
        payment.benefit_month,
        death.died_on,
        payment.amount_yuan,
        payment.delivery_id,
        payment.row_number
    from payment
    inner join death on payment.person_key = death.person_key
),

overpaid as (
    select
        after_death.month,
        after_death.person_key,
        sum(after_death.amount_yuan) as overpaid_yuan,
        min(after_death.benefit_month) as overpaid_from_month,
        {{ evidence_list('after_death.delivery_id', 'after_death.row_number') }} as evidence
    from after_death
    inner join lag_months on after_death.month = lag_months.month and lag_months.dimension_key = 'death'
    where {{ months_between('after_death.died_on', 'after_death.benefit_month') }} >= lag_months.value
    group by after_death.month, after_death.person_key
),

run_month as (
    select * from {{ ref('run_month') }}
),

about as (
    select
        month,
        person_key
    from due
    union
    select
        month,
        person_key
    from paid
    union
    select
        month,
        person_key
    from late
    union
    select
        month,
        person_key
    from overpaid
),

member as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

age as (
    {{ city_policy('old_age_allowance_age') }}
),

-- In the months that policy still gives to the dead, what was due before goes on.
due_to_dead as (
    select
        about.month,
        about.person_key,
        coalesce(max(due.amount_due_yuan), max(paid.amount_paid_yuan)) as amount_due_yuan
    from about
    inner join death on about.person_key = death.person_key and about.month >= death.death_known_month
    inner join lag_months on about.month = lag_months.month and lag_months.dimension_key = 'death'
    left join due on about.person_key = due.person_key and due.month = {{ add_months('about.month', -1) }}
    left join paid on about.person_key = paid.person_key and about.month = paid.month
    where {{ months_between('death.died_on', 'about.month') }} < lag_months.value
    group by about.month, about.person_key
),

joined as (
    select
        about.month,
        about.person_key,
        member.household_id,
        household.village_code,
        household.township_code,
        household.county_code,
        member.sex,
        {{ age_years('person.born_on', 'run_month.month_end') }} as age_years,
        due.due_from_month,
        coalesce(due.amount_due_yuan, due_to_dead.amount_due_yuan, 0) as amount_due_yuan,
        coalesce(paid.amount_paid_yuan, 0) as amount_paid_yuan,
        coalesce(late.arrears_paid_yuan, 0) as arrears_paid_yuan,
        coalesce(overpaid.overpaid_yuan, 0) as overpaid_yuan,
        {{ payment_status(
            'coalesce(due.amount_due_yuan, due_to_dead.amount_due_yuan)', 'coalesce(paid.amount_paid_yuan, 0)', 'due.is_missing', 'due.is_payment_told',
            'due.last_entry_month', 'about.month'
        ) }} as payment_status,
        case
            when coalesce(due.person_key, due_to_dead.person_key) is not null then null
            when death.person_key is not null then 'dead'
            when member.not_counted_reason is not null then member.not_counted_reason
            when member.person_key is null then 'not_known'
            when {{ months_between('person.born_on', 'about.month') }} < age.value * 12 then 'too_young'
            else 'not_registered_here'
        end as not_due_reason,
        sum(coalesce(overpaid.overpaid_yuan, 0)) over (partition by about.person_key order by about.month)
            as overpaid_total_yuan,
        min(overpaid.overpaid_from_month) over (partition by about.person_key order by about.month)
            as overpaid_from_month,
        {{ evidence_concat(
            "coalesce(paid.evidence, " ~ no_evidence() ~ ")",
            evidence_concat(
                "coalesce(late.evidence, " ~ no_evidence() ~ ")", "coalesce(overpaid.evidence, " ~ no_evidence() ~ ")"
            )
        ) }} as evidence
    from about
    inner join run_month on about.month = run_month.month
    inner join age on about.month = age.month
    left join person on about.person_key = person.person_key
    left join death on about.person_key = death.person_key and about.month >= death.death_known_month
    left join due on about.month = due.month and about.person_key = due.person_key
    left join due_to_dead on about.month = due_to_dead.month and about.person_key = due_to_dead.person_key
    left join paid on about.month = paid.month and about.person_key = paid.person_key
    left join late on about.month = late.month and about.person_key = late.person_key
    left join overpaid on about.month = overpaid.month and about.person_key = overpaid.person_key
    left join member on about.month = member.month and about.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
),

final as (
    select
        month,
        person_key,
        household_id,
        village_code,
        township_code,
        county_code,
        sex,
        age_years,
        due_from_month,
        {{ yuan('amount_due_yuan') }} as amount_due_yuan,
        {{ yuan('amount_paid_yuan') }} as amount_paid_yuan,
        {{ yuan('arrears_paid_yuan') }} as arrears_paid_yuan,
        payment_status,
        not_due_reason,
        {{ yuan('overpaid_yuan') }} as overpaid_yuan,
        {{ yuan('overpaid_total_yuan') }} as overpaid_total_yuan,
        overpaid_from_month,
        evidence
    from joined
)

select * from final
