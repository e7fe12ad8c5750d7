with
delivered as (
    select * from {{ ref('stg_public_security__population_register') }}
),

final as (
    select
        hukou_no,
        person_key,
        relation_to_head,
        hukou_type,
        registered_division,
        residence_division,
        marital_status,
        status,
        changed_on,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Someone who moved between districts stands in both of their registers: the one where the hukou is normal wins.
    qualify
        row_number() over (
            partition by person_key, valid_from
            order by (status = '1') desc, changed_on desc nulls last, delivery_id, row_number
        ) = 1
)

select * from final
