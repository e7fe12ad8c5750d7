with
delivered as (
    {{ delivered_rows('rural_monitoring', ['person_key'], key=['household_no', 'person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.household_no,
        delivered.person_key,
        delivered.category,
        delivered.risk,
        delivered.identified_on,
        delivered.cleared_on,
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
