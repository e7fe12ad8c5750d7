with
month as (
    select month from {{ ref('run_month') }}
),

death as (
    select * from {{ ref('person_death') }}
    where died_on is not null
),

registration as (
    select * from {{ ref('hukou_household_member') }}
),

pension_after_death as (
    select
        greatest(pension.known_month, death.known_month) as month,
        'pension_after_death' as contradiction,
        death.person_key
    from {{ ref('person_pension') }} as pension
    inner join death on pension.person_key = death.person_key
    where {{ months_between('death.died_on', 'pension.pension_month') }} >= 1
),

-- A new register has come since, and still says that the dead person lives.
registered_after_death as (
    select
        month.month,
        'registered_after_death' as contradiction,
        death.person_key
    from registration
    inner join month on {{ in_force('month.month', 'registration') }}
    inner join death on registration.person_key = death.person_key and death.known_month <= month.month
    where registration.status = '1' and {{ months_between('death.died_on', 'registration.valid_from') }} >= 1
),

treated_after_death as (
    select
        settlement.settled_month as month,
        'treated_after_death' as contradiction,
        death.person_key
    from {{ ref('person_medical_settlement') }} as settlement
    inner join death on settlement.person_key = death.person_key
    where {{ months_between('death.died_on', 'settlement.settled_on') }} >= 1
),

employed_in_custody as (
    select
        contribution.contribution_month as month,
        'employed_in_custody' as contradiction,
        custody.person_key
    from {{ ref('person_contribution') }} as contribution
    inner join {{ ref('person_custody') }} as custody
        on
            contribution.person_key = custody.person_key
            and {{ in_force('contribution.contribution_month', 'custody') }}
    where
        custody.is_detained
        and contribution.status = '1'
        and contribution.insurance = '1'
        and {{ months_between('custody.from_date', 'contribution.contribution_month') }} >= 1
),

unemployed_and_employed as (
    select
        contribution.contribution_month as month,
        'unemployed_and_employed' as contradiction,
        unemployment.person_key
    from {{ ref('person_contribution') }} as contribution
    inner join {{ ref('person_unemployment') }} as unemployment
        on
            contribution.person_key = unemployment.person_key
            and {{ in_force('contribution.contribution_month', 'unemployment') }}
    where
        unemployment.is_unemployed
        and contribution.status = '1'
        and contribution.insurance = '1'
        and {{ months_between('unemployment.unemployed_on', 'contribution.contribution_month') }} >= 1
),

size_differs as (
    select
        month,
        'register_size_differs' as contradiction,
        applicant_key as person_key
    from {{ ref('benefit_household_month') }}
    where household_size <> member_count
),

on_register_elsewhere as (
    select
        entry.month,
        'on_register_moved_out' as contradiction,
        entry.person_key
    from {{ ref('benefit_member_month') }} as entry
    inner join
        registration
        on entry.person_key = registration.person_key and {{ in_force('entry.month', 'registration') }}
    where registration.status = '2'
),

found as (
    select * from pension_after_death
    union all
    select * from registered_after_death
    union all
    select * from treated_after_death
    union all
    select * from employed_in_custody
    union all
    select * from unemployed_and_employed
    union all
    select * from size_differs
    union all
    select * from on_register_elsewhere
),

final as (
    select
        found.month,
        found.contradiction,
        cast(count(distinct found.person_key) as integer) as person_count
    from found
    inner join month on found.month = month.month
    group by found.month, found.contradiction
)

select * from final
