with
delivered as (
    select * from {{ ref('stg_health__death_record') }}
),

population as (
    select * from {{ ref('stg_public_security__population_register') }}
    where status = '3'
),

record as (
    {{ newest_of_event('delivered', ['person_key']) }}
),

cancelled as (
    select
        *,
        min(valid_from) over (partition by person_key) as known_month
    from population
    qualify row_number() over (partition by person_key order by valid_from desc, delivery_id, row_number) = 1
),

told as (
    select
        person_key,
        died_on,
        cremated_on,
        'death_record' as basis,
        known_month,
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
        delivery_id,
        row_number
    from cancelled
),

final as (
    select
        person_key,
        died_on,
        cremated_on,
        basis,
        min(known_month) over (partition by person_key) as known_month,
        delivery_id,
        row_number
    from told
    qualify row_number() over (partition by person_key order by basis) = 1
)

select * from final
