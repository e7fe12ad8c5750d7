with
delivered as (
    {{ delivered_rows('disaster_event', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.report_no,
        delivered.person_key,
        delivered.disaster_type,
        delivered.occurred_on,
        delivered.division,
        delivered.house_damage,
        delivered.loss,
        delivered.casualties,
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
