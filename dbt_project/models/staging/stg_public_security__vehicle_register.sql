with
delivered as (
    {{ delivered_rows('vehicle_register', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.plate_no,
        delivered.vehicle_type,
        delivered.person_key,
        delivered.model,
        delivered.price,
        delivered.registered_on,
        delivered.status,
        delivered.delivery_id,
        delivered.row_number,
        delivered.period,
        validity.valid_from,
        validity.valid_to
    from delivered
    inner join validity
        on {{ row_in_force('delivered', 'validity') }}
)

select * from final
