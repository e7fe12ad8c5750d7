with
delivered as (
    {{ delivered_rows('property_register', ['person_key'], key=['unit_no', 'person_key']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.unit_no,
        delivered.person_key,
        delivered.use,
        delivered.area,
        delivered.share,
        delivered.division,
        delivered.registered_on,
        delivered.status,
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
