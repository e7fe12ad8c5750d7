with
stay as (
    select * from {{ ref('household_stay') }}
),

division as (
    select * from {{ source('reference', 'division') }}
    where area_type is not null
),

-- The place can change only where somebody comes, goes or changes.
change as {{ step() }} (
    select
        household_id,
        valid_from
    from stay
    union distinct
    select
        household_id,
        valid_to as valid_from
    from stay
    where valid_to < date '9999-12-31'
),

-- The place of the head; of those who came to live here only where nobody else is left.
ordered as {{ step() }} (
    select
        change.household_id,
        change.valid_from,
        stay.place_code,
        stay.registered_division,
        stay.hukou_type,
        concat(
            case when stay.is_resident then '1' else '0' end,
            case when stay.basis = 'hukou' then '1' else '0' end,
            case when stay.relation_to_head = '02' then '1' else '0' end,
            stay.person_key
        ) as weight
    from change
    inner join stay
        on
            change.household_id = stay.household_id
            and {{ in_force('change.valid_from', 'stay') }}
),

place as {{ step() }} (
    select
        household_id,
        valid_from,
        {{ value_at_max('place_code', 'weight') }} as place_code,
        {{ value_at_max('registered_division', 'weight') }} as registered_division,
        {{ value_at_max('hukou_type', 'weight') }} as hukou_type
    from ordered
    group by household_id, valid_from
),

-- Whoever lives outside of the city stays with the village of registration, so that somebody answers.
final as (
    select
        place.household_id,
        coalesce(lived.code, place.registered_division) as village_code,
        coalesce(
            lived.area_type,
            registered.area_type,
            case when place.hukou_type = '1' then 'urban' else 'rural' end
        ) as area_type,
        place.valid_from,
        lead(place.valid_from, 1, date '9999-12-31') over (
            partition by place.household_id
            order by place.valid_from
        ) as valid_to
    from place
    left join division as lived
        on place.place_code = lived.code
    left join division as registered
        on place.registered_division = registered.code
)

select * from final
