with
delivered as (
    {{ delivered_rows('community_report', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.report_no,
        delivered.channel,
        delivered.reported_on,
        delivered.person_key,
        delivered.division,
        delivered.need,
        delivered.summary,
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
