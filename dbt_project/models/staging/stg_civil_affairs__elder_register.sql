with
delivered as (
    {{ delivered_rows('elder_register', ['person_key'], key=['person_key', 'elder_category']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.person_key,
        delivered.elder_category,
        delivered.ability_level,
        delivered.visited_on,
        delivered.division,
        delivered.delivery_id,
        delivered.row_number,
        delivered.period,
        validity.valid_from,
        validity.valid_to
    from delivered
    inner join validity
        on {{ row_in_force('delivered', 'validity', 'division') }}
)

select * from final
