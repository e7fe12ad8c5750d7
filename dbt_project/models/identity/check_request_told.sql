with
delivered as (
    select * from {{ ref('stg_civil_affairs__check_request') }}
    where {{ since_rebuild('valid_from') }}
),

final as (
    select
        valid_from as month,
        request_no,
        person_key,
        applicant_key,
        relation,
        authorisation_no,
        authorised_until,
        purpose,
        requested_on,
        requested_by,
        delivery_id,
        row_number
    from delivered
    qualify
        row_number() over (
            partition by valid_from, request_no, person_key
            order by delivery_id desc, row_number desc
        ) = 1
)

select * from final
