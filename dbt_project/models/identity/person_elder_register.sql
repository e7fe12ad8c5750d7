with
delivered as (
    select * from {{ ref('stg_civil_affairs__elder_register') }}
    where {{ open_since_rebuild('elder_register') }}
),

final as (
    select
        person_key,
        elder_category,
        ability_level,
        visited_on,
        division as division_code,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by person_key, elder_category, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
