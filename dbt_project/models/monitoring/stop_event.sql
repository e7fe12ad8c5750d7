with
death as (
    select * from {{ ref('person_death') }}
    where died_on is not null
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

registration as (
    select
        person_key,
        -- As in X03: where the day is not known, the month of the first register that tells of it.
        coalesce(changed_on, min(valid_from) over (partition by person_key, status)) as changed_on,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('hukou_household_member') }}
    where status in ('2', '4')
),

final as (
    select
        'X01' as indicator,
        'death' as event,
        person_key,
        died_on as event_on,
        cast(null as date) as ends_on,
        known_month,
        date '9999-12-31' as told_until,
        delivery_id,
        row_number
    from death
    union all
    select
        'X02' as indicator,
        'custody' as event,
        person_key,
        from_date as event_on,
        until_date as ends_on,
        valid_from as known_month,
        valid_to as told_until,
        delivery_id,
        row_number
    from custody
    union all
    select
        'X03' as indicator,
        'moved_away' as event,
        person_key,
        changed_on as event_on,
        cast(null as date) as ends_on,
        valid_from as known_month,
        valid_to as told_until,
        delivery_id,
        row_number
    from registration
)

select * from final
