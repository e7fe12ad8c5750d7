with
delivered as (
    {{ delivered_rows('child_register', ['person_key', 'guardian_key'], key=['person_key', 'child_category']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.child_category,
        delivered.guardian_key,
        delivered.guardian_relation,
        delivered.recognised_on,
        delivered.visited_on,
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
