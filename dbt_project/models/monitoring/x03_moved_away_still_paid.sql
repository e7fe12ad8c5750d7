with
registration as (
    select
        person_key,
        -- Where the day was not told or not readable, the month of the first register that tells of it must do.
        coalesce(changed_on, min(valid_from) over (partition by person_key, status)) as changed_on,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('hukou_household_member') }}
    -- Moved out or cancelled otherwise; cancelled by death is X01.
    where status in ('2', '4')
),

lag_months as (
    {{ city_policy('stop_lag_months') }}
),

entry as (
    select
        month,
        month as claim_month,
        person_key,
        delivery_id,
        row_number
    from {{ ref('register_entry') }}
),

paid as (
    select
        -- A payment for an earlier month stands in the month that tells of it.
        greatest(benefit_month, known_month) as month,
        benefit_month as claim_month,
        person_key,
        delivery_id,
        row_number
    from {{ ref('person_payment') }}
    where is_paid and amount_yuan > 0
),

claim as (
    select * from entry
    union all
    select * from paid
),

death as (
    select
        person_key,
        died_on,
        known_month
    from {{ ref('person_death') }}
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
        'X03' as indicator,
        member.household_id,
        claim.person_key,
        cast(null as string) as level,
        max({{ months_between('registration.changed_on', 'claim.claim_month') }}) as value,
        max(lag_months.value) as threshold,
        {{ evidence_concat(
            evidence_list('claim.delivery_id', 'claim.row_number'),
            evidence_list('registration.delivery_id', 'registration.row_number')
        ) }} as evidence
    from claim
    inner join registration
        on claim.person_key = registration.person_key and {{ in_force('claim.month', 'registration') }}
    inner join lag_months on claim.month = lag_months.month and lag_months.dimension_key = 'moved_away'
    left join death on claim.person_key = death.person_key and claim.month >= death.known_month
    left join member on claim.month = member.month and claim.person_key = member.person_key
    where
        {{ months_between('registration.changed_on', 'claim.claim_month') }} >= lag_months.value
        and death.person_key is null
    group by claim.month, member.household_id, claim.person_key
)

select * from final
