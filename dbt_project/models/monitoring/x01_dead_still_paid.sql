with
death as (
    select * from {{ ref('person_death') }}
    where died_on is not null
),

-- From the month that policy names on, nothing is due to the dead.
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

payment as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

paid as (
    select * from payment
    where amount_yuan > 0
),

-- Money taken back comes as a negative payment for the same month.
taken_back as (
    select
        person_key,
        benefit,
        benefit_month,
        max(known_month) as known_month,
        -sum(amount_yuan) as amount_yuan
    from payment
    where amount_yuan < 0
    group by person_key, benefit, benefit_month
),

found as (
    select
        entry.month,
        death.person_key,
        entry.month as claim_month,
        death.died_on,
        {{ evidence_list('entry.delivery_id', 'entry.row_number') }} as evidence
    from entry
    inner join death on entry.person_key = death.person_key and entry.month >= death.known_month
    group by entry.month, death.person_key, death.died_on
    union all
    -- A payment stands in the month in which both it and the death are known.
    select
        greatest(paid.known_month, death.known_month) as month,
        death.person_key,
        paid.benefit_month as claim_month,
        death.died_on,
        {{ evidence_list('paid.delivery_id', 'paid.row_number') }} as evidence
    from paid
    inner join death on paid.person_key = death.person_key
    left join taken_back
        on
            paid.person_key = taken_back.person_key
            and paid.benefit = taken_back.benefit
            and paid.benefit_month = taken_back.benefit_month
            and taken_back.known_month <= greatest(paid.known_month, death.known_month)
            and paid.amount_yuan <= taken_back.amount_yuan
    where taken_back.person_key is null
    group by greatest(paid.known_month, death.known_month), death.person_key, paid.benefit_month, death.died_on
),

told as (
    select
        person_key,
        {{ evidence_list() }} as evidence
    from death
    group by person_key
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
        'X01' as indicator,
        member.household_id,
        found.person_key,
        cast(null as string) as level,
        max({{ months_between('found.died_on', 'found.claim_month') }}) as value,
        max(lag_months.value) as threshold,
        {{ evidence_concat(evidence_union('found.evidence'), evidence_union('told.evidence')) }} as evidence
    from found
    inner join told on found.person_key = told.person_key
    inner join lag_months on found.month = lag_months.month and lag_months.dimension_key = 'death'
    left join member on found.month = member.month and found.person_key = member.person_key
    where {{ months_between('found.died_on', 'found.claim_month') }} >= lag_months.value
    group by found.month, member.household_id, found.person_key
)

select * from final
