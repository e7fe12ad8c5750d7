with
delivered as (
    select * from {{ ref('stg_civil_affairs__check_request') }}
),

event as (
    {{ newest_of_event('delivered', ['request_no', 'person_key']) }}
),

final as (
    select
        request_no,
        person_key,
        applicant_key,
        relation,
        purpose,
        requested_on,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
