with
delivered as (
    select * from {{ ref('stg_agriculture__rural_monitoring') }}
    where {{ open_since_rebuild('rural_monitoring') }}
),

final as (
    select
        household_no,
        person_key,
        category,
        risk,
        identified_on,
        cleared_on,
        cleared_on is null as is_open,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by household_no, person_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
