with
delivered as (
    {{ delivered_rows('visit_outcome', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.alert_id,
        delivered.visited_on,
        delivered.outcome,
        delivered.programme,
        delivered.note,
        delivered.person_key,
        delivered.report_no,
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
