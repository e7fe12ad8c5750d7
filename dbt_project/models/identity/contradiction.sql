with
identified as (
    select * from {{ source('reference', 'person_key') }}
),

population as (
    select * from {{ ref('stg_public_security__population_register') }}
),

registration as (
    select * from {{ ref('hukou_household_member') }}
),

death as (
    select * from {{ ref('person_death') }}
    where died_on is not null
),

pension as (
    select * from {{ ref('person_pension') }}
),

settlement as (
    select * from {{ ref('person_medical_settlement') }}
),

contribution as (
    select * from {{ ref('person_contribution') }}
    where status = '1' and insurance = '1'
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where is_unemployed
),

certificate as (
    select * from {{ ref('benefit_household_member') }}
),

elder as (
    select * from {{ ref('person_elder_register') }}
),

household as (
    select * from {{ ref('benefit_household_month') }}
),

member as (
    select * from {{ ref('benefit_member_month') }}
),

name_conflict as (
    select * from {{ source('reference', 'name_conflict') }}
),

precedence as (
    select * from {{ source('reference', 'source_precedence') }}
),

-- The ID number stands in the very row that says otherwise.
birth_date as (
    select
        'birth_date_differs' as contradiction,
        'birth_date' as attribute,
        population.person_key,
        'id_number' as source_a,
        cast(extract(year from identified.born_on) as varchar) as class_a,
        population.delivery_id as delivery_a,
        population.row_number as row_a,
        'population_register' as source_b,
        cast(extract(year from population.born_on) as varchar) as class_b,
        population.delivery_id as delivery_b,
        population.row_number as row_b,
        population.valid_from as known_from,
        population.valid_to as known_to
    from population
    inner join identified
        on population.person_key = identified.person_key
    where population.born_on <> identified.born_on
),

sex as (
    select
        'sex_differs' as contradiction,
        'sex' as attribute,
        population.person_key,
        'id_number' as source_a,
        identified.sex as class_a,
        population.delivery_id as delivery_a,
        population.row_number as row_a,
        'population_register' as source_b,
        population.sex as class_b,
        population.delivery_id as delivery_b,
        population.row_number as row_b,
        population.valid_from as known_from,
        population.valid_to as known_to
    from population
    inner join identified
        on population.person_key = identified.person_key
    where population.sex <> identified.sex
),

-- A new register has come since, and still says that the dead person lives.
registered_after_death as (
    select
        'registered_after_death' as contradiction,
        'life' as attribute,
        death.person_key,
        death.basis as source_a,
        'dead' as class_a,
        death.delivery_id as delivery_a,
        death.row_number as row_a,
        'population_register' as source_b,
        'alive' as class_b,
        registration.delivery_id as delivery_b,
        registration.row_number as row_b,
        greatest(registration.valid_from, death.known_month) as known_from,
        registration.valid_to as known_to
    from registration
    inner join death
        on registration.person_key = death.person_key
    where
        registration.status = '1'
        and registration.valid_to > death.known_month
        and {{ months_between('death.died_on', 'registration.valid_from') }} >= 1
),

assisted_after_death as (
    select
        'assisted_after_death' as contradiction,
        'life' as attribute,
        death.person_key,
        death.basis as source_a,
        'dead' as class_a,
        death.delivery_id as delivery_a,
        death.row_number as row_a,
        'assistance_register' as source_b,
        'alive' as class_b,
        certificate.delivery_id as delivery_b,
        certificate.row_number as row_b,
        greatest(certificate.valid_from, death.known_month) as known_from,
        certificate.valid_to as known_to
    from certificate
    inner join death
        on certificate.person_key = death.person_key
    where
        certificate.valid_to > death.known_month
        and {{ months_between('death.died_on', 'certificate.valid_from') }} >= 1
),

pension_after_death as (
    select
        'pension_after_death' as contradiction,
        'life' as attribute,
        death.person_key,
        death.basis as source_a,
        'dead' as class_a,
        death.delivery_id as delivery_a,
        death.row_number as row_a,
        'pension_payment' as source_b,
        'alive' as class_b,
        pension.delivery_id as delivery_b,
        pension.row_number as row_b,
        greatest(pension.known_month, death.known_month) as known_from,
        {{ add_months('greatest(pension.known_month, death.known_month)', 1) }} as known_to
    from pension
    inner join death
        on pension.person_key = death.person_key
    where {{ months_between('death.died_on', 'pension.pension_month') }} >= 1
),

treated_after_death as (
    select
        'treated_after_death' as contradiction,
        'life' as attribute,
        death.person_key,
        death.basis as source_a,
        'dead' as class_a,
        death.delivery_id as delivery_a,
        death.row_number as row_a,
        'medical_settlement' as source_b,
        'alive' as class_b,
        settlement.delivery_id as delivery_b,
        settlement.row_number as row_b,
        greatest(settlement.settled_month, death.known_month) as known_from,
        {{ add_months('greatest(settlement.settled_month, death.known_month)', 1) }} as known_to
    from settlement
    inner join death
        on settlement.person_key = death.person_key
    where {{ months_between('death.died_on', 'settlement.settled_on') }} >= 1
),

-- Where the register tells no residence, there is nothing to contradict.
told_place as (
    select
        person_key,
        division_code,
        'assistance_register' as source,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from certificate
    union all
    select
        person_key,
        division_code,
        'elder_register' as source,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from elder
),

place as (
    select
        'place_differs' as contradiction,
        'place' as attribute,
        registration.person_key,
        'population_register' as source_a,
        registration.residence_division as class_a,
        registration.delivery_id as delivery_a,
        registration.row_number as row_a,
        told_place.source as source_b,
        told_place.division_code as class_b,
        told_place.delivery_id as delivery_b,
        told_place.row_number as row_b,
        greatest(registration.valid_from, told_place.valid_from) as known_from,
        least(registration.valid_to, told_place.valid_to) as known_to
    from told_place
    inner join registration
        on
            told_place.person_key = registration.person_key
            and {{ overlap('told_place', 'registration') }}
    where
        registration.status = '1'
        and registration.residence_division <> told_place.division_code
),

name as (
    select
        'name_differs' as contradiction,
        'name' as attribute,
        person_key,
        source_a,
        cast(null as varchar) as class_a,
        delivery_a,
        row_a,
        source_b,
        cast(null as varchar) as class_b,
        delivery_b,
        row_b,
        known_month as known_from,
        date '9999-12-31' as known_to
    from name_conflict
),

employed_in_custody as (
    select
        'employed_in_custody' as contradiction,
        'freedom' as attribute,
        custody.person_key,
        'custody_record' as source_a,
        'detained' as class_a,
        custody.delivery_id as delivery_a,
        custody.row_number as row_a,
        'social_insurance' as source_b,
        'employed' as class_b,
        contribution.delivery_id as delivery_b,
        contribution.row_number as row_b,
        contribution.contribution_month as known_from,
        {{ add_months('contribution.contribution_month', 1) }} as known_to
    from contribution
    inner join custody
        on
            contribution.person_key = custody.person_key
            and {{ in_force('contribution.contribution_month', 'custody') }}
    where {{ months_between('custody.from_date', 'contribution.contribution_month') }} >= 1
),

unemployed_and_employed as (
    select
        'unemployed_and_employed' as contradiction,
        'work' as attribute,
        unemployment.person_key,
        'social_insurance' as source_a,
        'employed' as class_a,
        contribution.delivery_id as delivery_a,
        contribution.row_number as row_a,
        'unemployment_register' as source_b,
        'unemployed' as class_b,
        unemployment.delivery_id as delivery_b,
        unemployment.row_number as row_b,
        contribution.contribution_month as known_from,
        {{ add_months('contribution.contribution_month', 1) }} as known_to
    from contribution
    inner join unemployment
        on
            contribution.person_key = unemployment.person_key
            and {{ in_force('contribution.contribution_month', 'unemployment') }}
    where {{ months_between('unemployment.unemployed_on', 'contribution.contribution_month') }} >= 1
),

size_differs as (
    select
        'register_size_differs' as contradiction,
        'household_size' as attribute,
        applicant_key as person_key,
        'assistance_register' as source_a,
        cast(member_count as varchar) as class_a,
        delivery_id as delivery_a,
        row_number as row_a,
        'assistance_register' as source_b,
        cast(household_size as varchar) as class_b,
        delivery_id as delivery_b,
        row_number as row_b,
        month as known_from,
        {{ add_months('month', 1) }} as known_to
    from household
    where household_size <> member_count
),

on_register_moved_out as (
    select
        'on_register_moved_out' as contradiction,
        'registration' as attribute,
        member.person_key,
        'population_register' as source_a,
        'moved_out' as class_a,
        registration.delivery_id as delivery_a,
        registration.row_number as row_a,
        'assistance_register' as source_b,
        'on_register' as class_b,
        member.delivery_id as delivery_b,
        member.row_number as row_b,
        member.month as known_from,
        {{ add_months('member.month', 1) }} as known_to
    from member
    inner join registration
        on
            member.person_key = registration.person_key
            and {{ in_force('member.month', 'registration') }}
    where registration.status = '2'
),

found as (
    select * from birth_date
    union all
    select * from sex
    union all
    select * from registered_after_death
    union all
    select * from assisted_after_death
    union all
    select * from pension_after_death
    union all
    select * from treated_after_death
    union all
    select * from place
    union all
    select * from name
    union all
    select * from employed_in_custody
    union all
    select * from unemployed_and_employed
    union all
    select * from size_differs
    union all
    select * from on_register_moved_out
),

final as (
    select
        found.contradiction,
        found.attribute,
        found.person_key,
        found.source_a,
        found.class_a,
        found.delivery_a,
        found.row_a,
        found.source_b,
        found.class_b,
        found.delivery_b,
        found.row_b,
        case
            when coalesce(rank_a.rank, 99) <= coalesce(rank_b.rank, 99) then found.source_a
            else found.source_b
        end as source_used,
        found.known_from,
        found.known_to
    from found
    left join precedence as rank_a
        on
            found.attribute = rank_a.attribute
            and found.source_a = rank_a.source
    left join precedence as rank_b
        on
            found.attribute = rank_b.attribute
            and found.source_b = rank_b.source
    qualify
        row_number() over (
            partition by
                found.contradiction,
                found.person_key,
                found.delivery_a,
                found.row_a,
                found.delivery_b,
                found.row_b,
                found.known_from
            order by found.source_b
        ) = 1
)

select * from final
