with
known as (
    select * from {{ ref('household_group') }}
),

identity as (
    select * from {{ ref('household_identity') }}
),

division as (
    select * from {{ source('reference', 'division') }}
    where area_type is not null
),

-- The place of the head; of those who came to live here only where nobody else is left.
ordered as (
    select
        identity.epoch_from,
        identity.household_id,
        known.place_code,
        known.registered_division,
        known.hukou_type,
        concat(
            case when known.is_resident then '1' else '0' end,
            case when known.basis = 'hukou' then '1' else '0' end,
            case when known.relation_to_head = '02' then '1' else '0' end,
            known.person_key
        ) as weight
    from known
    inner join identity
        on
            known.epoch_from = identity.epoch_from
            and known.part_key = identity.part_key
),

place as (
    select
        epoch_from,
        household_id,
        {{ value_at_max('place_code', 'weight') }} as place_code,
        {{ value_at_max('registered_division', 'weight') }} as registered_division,
        {{ value_at_max('hukou_type', 'weight') }} as hukou_type
    from ordered
    group by epoch_from, household_id
),

-- Whoever lives outside of the city stays with the village of registration, so that somebody answers.
final as (
    select
        place.epoch_from,
        place.household_id,
        coalesce(lived.code, place.registered_division) as village_code,
        coalesce(
            lived.area_type,
            registered.area_type,
            case when place.hukou_type = '1' then 'urban' else 'rural' end
        ) as area_type
    from place
    left join division as lived
        on place.place_code = lived.code
    left join division as registered
        on place.registered_division = registered.code
)

select * from final
