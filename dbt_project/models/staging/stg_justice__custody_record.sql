with
delivered as (
    {{ delivered_rows('custody_record', ['person_key'], key=['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.custody_type,
        delivered.from_date,
        delivered.until_date,
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
