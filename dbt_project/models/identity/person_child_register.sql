with
delivered as (
    select * from {{ ref('stg_civil_affairs__child_register') }}
    where {{ open_since_rebuild('child_register') }}
),

final as (
    select
        person_key,
        child_category,
        guardian_key,
        guardian_relation,
        recognised_on,
        visited_on,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by person_key, child_category, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
