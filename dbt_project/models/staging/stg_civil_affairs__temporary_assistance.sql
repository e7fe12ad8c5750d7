with
delivered as (
    {{ delivered_rows('temporary_assistance', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.application_no,
        delivered.person_key,
        delivered.hardship_type,
        delivered.cause,
        delivered.amount,
        delivered.approved_on,
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
