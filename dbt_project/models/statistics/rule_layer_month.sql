with
layer as (
    select * from {{ ref('household_layer_month') }}
    where {{ since_rebuild('month') }}
),

household as (
    select
        month,
        household_id,
        village_code
    from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        layer.month,
        place.village_code,
        layer.register_layer as layer,
        layer.rule_layer,
        cast(count(*) as integer) as household_count,
        cast(sum(coalesce(layer.amount_due_yuan, 0)) as decimal(18, 2)) as amount_due_yuan
    from layer
    inner join household on layer.month = household.month and layer.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
    where layer.counted_member_count > 0
    group by layer.month, place.village_code, layer.register_layer, layer.rule_layer
)

select * from final
