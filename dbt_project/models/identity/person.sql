with
identified as (
    select * from {{ source('reference', 'person_key') }}
),

population as (
    select * from {{ ref('stg_public_security__population_register') }}
),

death as (
    select * from {{ ref('person_death') }}
),

registered as (
    select
        person_key,
        min(born_on) as born_on,
        min(sex) as sex
    from population
    group by person_key
),

final as (
    select
        identified.person_key,
        coalesce(identified.born_on, registered.born_on) as born_on,
        coalesce(identified.sex, registered.sex) as sex,
        death.died_on,
        death.known_month as death_known_month
    from identified
    left join registered
        on identified.person_key = registered.person_key
    left join death
        on identified.person_key = death.person_key
)

select * from final
