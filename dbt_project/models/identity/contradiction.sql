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

school as (
    select * from {{ ref('person_school') }}
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
        {{ told_by('a', "'id_number'", 'cast(year(identified.born_on) as string)', 'population') }},
        {{ told_by('b', "'population_register'", 'cast(year(population.born_on) as string)', 'population') }},
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
        {{ told_by('a', "'id_number'", 'identified.sex', 'population') }},
        {{ told_by('b', "'population_register'", 'population.sex', 'population') }},
        population.valid_from as known_from,
        population.valid_to as known_to
    from population
    inner join identified
        on population.person_key = identified.person_key
    where population.sex <> identified.sex
),

-- What says that somebody lives: a register as long as it counts (the one in which the death is not yet told says
-- nothing), a payment or treatment once, in the month in which both are known.
sign_of_life as (
    select
        'registered_after_death' as contradiction,
        'population_register' as source,
        person_key,
        valid_from as lived_on,
        valid_from as known_month,
        valid_to,
        delivery_id,
        row_number
    from registration
    where status = '1'
    union all
    select
        'assisted_after_death' as contradiction,
        'assistance_register' as source,
        person_key,
        valid_from as lived_on,
        valid_from as known_month,
        valid_to,
        delivery_id,
        row_number
    from certificate
    union all
    select
        'pension_after_death' as contradiction,
        'pension_payment' as source,
        person_key,
        pension_month as lived_on,
        known_month,
        cast(null as date) as valid_to,
        delivery_id,
        row_number
    from pension
    union all
    select
        'treated_after_death' as contradiction,
        'medical_settlement' as source,
        person_key,
        settled_on as lived_on,
        settled_month as known_month,
        cast(null as date) as valid_to,
        delivery_id,
        row_number
    from settlement
    union all
    select
        'student_after_death' as contradiction,
        'student_register' as source,
        person_key,
        valid_from as lived_on,
        valid_from as known_month,
        valid_to,
        delivery_id,
        row_number
    from school
    where status = '1'
),

after_death as (
    select
        sign_of_life.contradiction,
        'life' as attribute,
        death.person_key,
        {{ told_by('a', 'death.basis', "'dead'", 'death') }},
        {{ told_by('b', 'sign_of_life.source', "'alive'", 'sign_of_life') }},
        greatest(sign_of_life.known_month, death.known_month) as known_from,
        coalesce(
            sign_of_life.valid_to, {{ add_months('greatest(sign_of_life.known_month, death.known_month)', 1) }}
        ) as known_to
    from sign_of_life
    inner join death
        on sign_of_life.person_key = death.person_key
    where
        coalesce(sign_of_life.valid_to > death.known_month, true)
        and {{ months_between('death.died_on', 'sign_of_life.lived_on') }} >= 1
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
        {{ told_by('a', "'population_register'", 'registration.residence_division', 'registration') }},
        {{ told_by('b', 'told_place.source', 'told_place.division_code', 'told_place') }},
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
        cast(null as string) as class_a,
        delivery_a,
        row_a,
        source_b,
        cast(null as string) as class_b,
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
        {{ told_by('a', "'custody_record'", "'detained'", 'custody') }},
        {{ told_by('b', "'social_insurance'", "'employed'", 'contribution') }},
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
        {{ told_by('a', "'social_insurance'", "'employed'", 'contribution') }},
        {{ told_by('b', "'unemployment_register'", "'unemployed'", 'unemployment') }},
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
        {{ told_by('a', "'assistance_register'", 'cast(member_count as string)', 'household') }},
        {{ told_by('b', "'assistance_register'", 'cast(household_size as string)', 'household') }},
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
        {{ told_by('a', "'population_register'", "'moved_out'", 'registration') }},
        {{ told_by('b', "'assistance_register'", "'on_register'", 'member') }},
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
    select * from after_death
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
