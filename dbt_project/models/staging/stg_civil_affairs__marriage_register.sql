with
delivered as (
    {{ delivered_rows('marriage_register', ['husband_key', 'wife_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.certificate_no,
        delivered.event,
        delivered.registered_on,
        delivered.husband_key,
        delivered.wife_key,
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
