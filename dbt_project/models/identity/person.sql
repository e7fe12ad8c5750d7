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

birth_rank as (
    {{ source_rank('birth_date') }}
),

sex_rank as (
    {{ source_rank('sex') }}
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

-- Policy says who is believed; the other one speaks where that one is silent.
belief as (
    select
        coalesce(max(case when source = 'id_number' then rank end), 99)
        <= coalesce(max(case when source = 'population_register' then rank end), 99) as is_number_first
    from birth_rank
),

sex_belief as (
    select
        coalesce(max(case when source = 'id_number' then rank end), 99)
        <= coalesce(max(case when source = 'population_register' then rank end), 99) as is_number_first
    from sex_rank
),

final as (
    select
        identified.person_key,
        case
            when belief.is_number_first then coalesce(identified.born_on, registered.born_on)
            else coalesce(registered.born_on, identified.born_on)
        end as born_on,
        case
            when sex_belief.is_number_first then coalesce(identified.sex, registered.sex)
            else coalesce(registered.sex, identified.sex)
        end as sex,
        death.died_on,
        death.known_month as death_known_month
    from identified
    cross join belief
    cross join sex_belief
    left join registered
        on identified.person_key = registered.person_key
    left join death
        on identified.person_key = death.person_key
)

select * from final
