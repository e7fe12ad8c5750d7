with
placement as (
    select * from {{ ref('household_placement') }}
),

identity as (
    select * from {{ ref('household_identity') }}
),

final as (
    select
        identity.household_id,
        placement.part_key,
        placement.person_key,
        placement.basis,
        placement.relation_to_head,
        placement.hukou_type,
        placement.registered_division,
        placement.place_code,
        placement.status,
        placement.changed_on,
        placement.is_apart,
        placement.apart_since,
        placement.is_resident,
        greatest(placement.valid_from, identity.valid_from) as valid_from,
        least(placement.valid_to, identity.valid_to) as valid_to,
        placement.delivery_id,
        placement.row_number
    from placement
    inner join identity
        on
            placement.part_key = identity.part_key
            and {{ overlap('placement', 'identity') }}
)

select * from final
