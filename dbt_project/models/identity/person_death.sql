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

record as (
    {{ newest_of_event('delivered', ['person_key']) }}
),

cancelled_row as (
    select
        *,
        min(valid_from) over (partition by person_key) as known_month,
        row_number() over telling as told_number,
        lag(changed_on) over telling as changed_on_before
    from population
    window telling as (partition by person_key order by valid_from, delivery_id desc, row_number desc)
),

-- What the newest register says, by the first one that said so: each register tells of the same dead again.
cancelled as (
    select * from cancelled_row
    where told_number = 1 or changed_on is distinct from changed_on_before
    qualify row_number() over (partition by person_key order by told_number desc) = 1
),

told as (
    select
        person_key,
        died_on,
        cremated_on,
        'death_record' as basis,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from record
    union all
    select
        person_key,
        -- The register tells the day of the change, which is not before the day of death; without it the month must do.
        coalesce(changed_on, known_month) as died_on,
        cast(null as date) as cremated_on,
        'population_register' as basis,
        known_month,
        valid_from as last_told_month,
        delivery_id,
        row_number
    from cancelled
),

final as (
    select
        told.person_key,
        told.died_on,
        told.cremated_on,
        told.basis,
        min(told.known_month) over (partition by told.person_key) as known_month,
        told.last_told_month,
        told.delivery_id,
        told.row_number
    from told
    left join life_rank
        on told.basis = life_rank.source
    qualify
        row_number() over (
            partition by told.person_key
            order by coalesce(life_rank.rank, 99), told.basis
        ) = 1
)

select * from final
