with
identified as (
    {{ known_persons() }}
),

population as (
    select * from {{ ref('stg_public_security__population_register') }}
),

death as (
    select * from {{ ref('death_first_told') }}
),

-- Policy says who is believed; the other one speaks where that one is silent.
birth_belief as (
    {{ is_believed_before('birth_date', 'id_number', 'population_register') }}
),

sex_belief as (
    {{ is_believed_before('sex', 'id_number', 'population_register') }}
),

-- As first told: what a later delivery says must not alter the months before.
registered as (
    select
        person_key,
        born_on,
        sex
    from population
    qualify row_number() over (partition by person_key order by valid_from, delivery_id, row_number desc) = 1
),

final as (
    select
        identified.person_key,
        case
            when birth_belief.is_first then coalesce(identified.born_on, registered.born_on)
            else coalesce(registered.born_on, identified.born_on)
        end as born_on,
        case
            when sex_belief.is_first then coalesce(identified.sex, registered.sex)
            else coalesce(registered.sex, identified.sex)
        end as sex,
        death.died_on,
        death.known_month as death_known_month
    from identified
    cross join birth_belief
    cross join sex_belief
    left join registered
        on identified.person_key = registered.person_key
    left join death
        on identified.person_key = death.person_key
)

select * from final
