with
delivered as (
    select * from {{ ref('stg_natural_resources__property_register') }}
    where {{ open_since_rebuild('property_register') }}
),

final as (
    select
        unit_no,
        person_key,
        use,
        area as area_m2,
        share as share_percent,
        division as division_code,
        registered_on,
        status,
        use in ('1', '4') and status <> '2' as is_home,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by unit_no, person_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
