with
delivered as (
    select * from {{ ref('stg_public_security__vehicle_register') }}
    where {{ open_since_rebuild('vehicle_register') }}
),

free_type as (
    {{ city_policy('free_vehicle_types') }}
),

final as (
    select
        delivered.plate_no,
        delivered.person_key,
        delivered.vehicle_type,
        delivered.price as price_yuan,
        delivered.registered_on,
        delivered.status,
        delivered.status <> '2' and coalesce(free_type.value, 0) = 0 as is_counted_car,
        delivered.valid_from,
        delivered.valid_to,
        delivered.delivery_id,
        delivered.row_number
    from delivered
    left join free_type
        on
            delivered.vehicle_type = free_type.dimension_key
            and delivered.valid_from = free_type.month
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by delivered.plate_no, delivered.valid_from
            order by delivered.delivery_id, delivered.row_number desc
        ) = 1
)

select * from final
