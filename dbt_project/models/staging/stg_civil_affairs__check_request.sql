with
delivered as (
    {{ delivered_rows('check_request', ['applicant_key', 'person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.request_no,
        delivered.authorisation_no,
        delivered.authorised_until,
        delivered.purpose,
        delivered.requested_on,
        delivered.requested_by,
        delivered.applicant_key,
        delivered.person_key,
        delivered.relation,
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
