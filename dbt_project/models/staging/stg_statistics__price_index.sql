with
delivered as (
    select * from {{ source('lake', 'price_index') }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.month,
        delivered.cpi_yoy,
        delivered.food_yoy,
        delivered.low_income_yoy,
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
