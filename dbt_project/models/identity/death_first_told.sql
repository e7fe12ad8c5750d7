with
delivered as (
    select * from {{ ref('stg_health__death_record') }}
),

population as (
    select * from {{ ref('stg_public_security__population_register') }}
    where status = '3'
),

life_rank as (
    {{ source_rank('life') }}
),

told as (
    select
        person_key,
        died_on,
        'death_record' as basis,
        valid_from as known_month,
        delivery_id,
        row_number
    from delivered
    union all
    select
        person_key,
        -- The register tells the day of the change, which is not before the day of death; without it the month must do.
        coalesce(changed_on, valid_from) as died_on,
        'population_register' as basis,
        valid_from as known_month,
        delivery_id,
        row_number
    from population
),

final as (
    select told.*
    from told
    left join life_rank
        on told.basis = life_rank.source
    qualify
        row_number() over (
            partition by told.person_key
            order by told.known_month, coalesce(life_rank.rank, 99), told.basis, told.delivery_id, told.row_number
        ) = 1
)

select * from final
