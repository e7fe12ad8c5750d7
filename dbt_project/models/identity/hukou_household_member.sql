with
delivered as (
    select * from {{ ref('stg_public_security__population_register') }}
    where {{ open_since_rebuild('population_register') }}
),

normal as (
    select
        person_key,
        valid_from,
        valid_to
    from {{ ref('stg_public_security__population_register') }}
    where
        status = '1'
        and valid_to > {{ first_open_since_rebuild('population_register') }}
),

-- Someone who moved between districts may stand in both of their registers: where the hukou is normal wins.
registered_elsewhere as (
    select distinct
        gone.person_key,
        gone.valid_from
    from delivered as gone
    inner join normal
        on
            gone.person_key = normal.person_key
            and {{ in_force('gone.valid_from', 'normal') }}
    where gone.status <> '1'
),

final as (
    select
        -- Households are told apart by it, nobody needs the number itself.
        {{ letters_key(['delivered.hukou_no']) }} as hukou_key,
        delivered.person_key,
        delivered.relation_to_head,
        delivered.hukou_type,
        delivered.registered_division,
        delivered.residence_division,
        delivered.marital_status,
        delivered.status,
        delivered.changed_on,
        delivered.valid_from,
        delivered.valid_to,
        delivered.delivery_id,
        delivered.row_number
    from delivered
    left join registered_elsewhere
        on
            delivered.person_key = registered_elsewhere.person_key
            and delivered.valid_from = registered_elsewhere.valid_from
    where
        delivered.status = '1'
        or registered_elsewhere.person_key is null
    qualify
        row_number() over (
            partition by delivered.person_key, delivered.valid_from
            order by delivered.changed_on desc nulls last, delivered.delivery_id, delivered.row_number
        ) = 1
)

select * from final
