with
household as (
    select * from {{ ref('household_month') }}
    where is_relapse_risk and assistance_layer = 'none'
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

monitored as (
    select * from {{ ref('person_rural_monitoring') }}
    where is_open
),

final as (
    select
        household.month,
        'N17' as indicator,
        household.household_id,
        -- The head where the head is monitored, else any monitored member.
        coalesce(
            max(case when monitored.person_key = household.reference_person_key then monitored.person_key end),
            min(monitored.person_key)
        ) as person_key,
        cast(null as string) as level,
        max({{ months_between('monitored.identified_on', 'household.month') }}) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('monitored.delivery_id', 'monitored.row_number') }} as evidence
    from household
    inner join member on household.month = member.month and household.household_id = member.household_id
    inner join monitored on member.person_key = monitored.person_key and {{ in_force('member.month', 'monitored') }}
    group by household.month, household.household_id
)

select * from final
