with
delivered as (
    {{ delivered_rows('disability_register', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.certificate_key,
        delivered.certificate_category,
        delivered.certificate_grade,
        delivered.person_key,
        delivered.disability_type,
        delivered.disability_grade,
        delivered.issued_on,
        delivered.valid_until,
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
