with
resident as {{ step() }} (
    select
        *,
        {{ letters_key(['hukou_key', 'place_code']) }} as home_key
    from {{ ref('resident') }}
),

couple as (
    select * from {{ ref('couple') }}
),

-- Divorced and still under one hukou number: two households, the children stay with the head. The register says so ...
told_by_register as {{ step() }} (
    select
        former.person_key,
        former.valid_from as spell_from,
        greatest(head.valid_from, former.valid_from) as valid_from,
        least(
            head.valid_to,
            former.valid_to,
            coalesce(min(remarried.valid_from), date '9999-12-31')
        ) as valid_to,
        cast(null as date) as apart_since,
        former.delivery_id,
        former.row_number
    from resident as head
    inner join resident as former
        on
            head.home_key = former.home_key
            and {{ overlap('head', 'former') }}
    left join couple as remarried
        on
            head.person_key = remarried.person_key
            and former.person_key = remarried.spouse_key
            and remarried.is_married
            and remarried.registered_on >= greatest(head.valid_from, former.valid_from)
    where
        head.relation_to_head = '02'
        and head.marital_status = '40'
        and head.status = '1'
        and former.relation_to_head = '10'
        and former.marital_status = '40'
        and former.status = '1'
    group by
        former.person_key,
        former.valid_from,
        head.valid_from,
        head.valid_to,
        former.valid_to,
        former.delivery_id,
        former.row_number
),

-- ... or the marriage office, before the register does. Of the two goes who stands farther from the head.
former_spouse as {{ step() }} (
    select
        goes.person_key,
        goes.valid_from as spell_from,
        greatest(couple.valid_from, goes.valid_from, stays.valid_from) as valid_from,
        least(couple.valid_to, goes.valid_to, stays.valid_to) as valid_to,
        couple.registered_on as apart_since,
        couple.delivery_id,
        couple.row_number,
        case goes.relation_to_head when '02' then 1 when '10' then 3 when '80' then 4 when '97' then 4 else 2 end
            as goes_distance,
        case stays.relation_to_head when '02' then 1 when '10' then 3 when '80' then 4 when '97' then 4 else 2 end
            as stays_distance,
        concat(coalesce(goes.sex, '1'), goes.person_key) as goes_order,
        concat(coalesce(stays.sex, '1'), stays.person_key) as stays_order
    from couple
    inner join resident as goes
        on
            couple.person_key = goes.person_key
            and {{ overlap('couple', 'goes') }}
    inner join resident as stays
        on
            couple.spouse_key = stays.person_key
            and {{ overlap('couple', 'stays') }}
            and {{ overlap('goes', 'stays') }}
            and goes.home_key = stays.home_key
    where
        not couple.is_married
        and goes.status = '1'
        and stays.status = '1'
),

apart as {{ step() }} (
    select
        person_key,
        spell_from,
        valid_from,
        valid_to,
        apart_since,
        delivery_id,
        row_number
    from told_by_register
    where valid_from < valid_to
    union all
    select
        person_key,
        spell_from,
        valid_from,
        valid_to,
        apart_since,
        delivery_id,
        row_number
    from former_spouse
    where
        valid_from < valid_to
        and (
            goes_distance > stays_distance
            or (goes_distance = stays_distance and goes_order > stays_order)
        )
),

-- A spell is cut where a death becomes known, where the person comes of age, where a divorce begins or ends.
cut as {{ step() }} (
    select
        person_key,
        dead_from as starts
    from resident
    where dead_from > valid_from
    union distinct
    select
        person_key,
        adult_from as starts
    from resident
    where adult_from > valid_from
    union distinct
    select
        person_key,
        valid_from as starts
    from apart
    union distinct
    select
        person_key,
        valid_to as starts
    from apart
),

piece as {{ step() }} (
    {{ pieces('resident', 'cut') }}
),

final as (
    select
        resident.person_key,
        resident.hukou_key,
        resident.relation_to_head,
        resident.hukou_type,
        resident.registered_division,
        resident.place_code,
        resident.marital_status,
        resident.status,
        resident.changed_on,
        resident.sex,
        resident.status = '1' and (resident.dead_from is null or resident.dead_from > piece.starts) as is_resident,
        resident.adult_from > piece.starts as is_minor,
        apart.person_key is not null as is_apart,
        apart.apart_since,
        case
            when apart.person_key is null then resident.home_key
            else {{ letters_key(['resident.home_key', 'resident.person_key']) }}
        end as part_key,
        piece.starts as valid_from,
        piece.ends as valid_to,
        case when apart.person_key is null then resident.delivery_id else apart.delivery_id end as delivery_id,
        case when apart.person_key is null then resident.row_number else apart.row_number end as row_number
    from piece
    inner join resident
        on
            piece.person_key = resident.person_key
            and piece.spell_from = resident.valid_from
    left join apart
        on
            piece.person_key = apart.person_key
            and piece.spell_from = apart.spell_from
            and piece.starts >= apart.valid_from
            and piece.starts < apart.valid_to
    qualify
        row_number() over (
            partition by piece.person_key, piece.starts
            order by apart.apart_since desc nulls last, apart.delivery_id, apart.row_number
        ) = 1
)

select * from final
