with
stay as (
    select * from {{ ref('household_stay') }}
),

person as (
    select
        person_key,
        died_on,
        {{ effective_month('death_known_month', 'died_on') }} as dead_from
    from {{ ref('person') }}
    where died_on is not null
),

death as (
    select * from {{ ref('death_first_told') }}
),

custody as (
    select
        person_key,
        from_date,
        until_date,
        {{ effective_month('valid_from', 'from_date') }} as valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('person_custody') }}
    where is_detained
),

cut as {{ step() }} (
    select
        person_key,
        dead_from as starts
    from person
    union distinct
    select
        person_key,
        valid_from as starts
    from custody
    union distinct
    select
        person_key,
        valid_to as starts
    from custody
),

piece as {{ step() }} (
    {{ pieces('stay', 'cut') }}
),

stated as {{ step() }} (
    select
        stay.household_id,
        stay.part_key,
        stay.person_key,
        stay.basis,
        stay.relation_to_head,
        stay.place_code,
        stay.status,
        stay.changed_on,
        stay.is_apart,
        stay.apart_since,
        case
            when person.dead_from <= piece.starts then 'dead'
            when stay.status = '2' then 'moved_out'
            when stay.status = '3' then 'dead'
            when stay.status = '4' then 'cancelled'
            when custody.person_key is not null then 'custody'
        end as not_counted_reason,
        person.died_on,
        custody.from_date as detained_on,
        custody.until_date as detained_until,
        piece.starts as valid_from,
        piece.ends as valid_to,
        case
            when person.dead_from <= piece.starts then death.delivery_id
            when stay.status in ('2', '3', '4') then stay.delivery_id
            else coalesce(custody.delivery_id, stay.delivery_id)
        end as delivery_id,
        case
            when person.dead_from <= piece.starts then death.row_number
            when stay.status in ('2', '3', '4') then stay.row_number
            else coalesce(custody.row_number, stay.row_number)
        end as row_number
    from piece
    inner join stay
        on
            piece.person_key = stay.person_key
            and piece.spell_from = stay.valid_from
    left join person
        on piece.person_key = person.person_key
    left join death
        on piece.person_key = death.person_key
    left join custody
        on
            piece.person_key = custody.person_key
            and piece.starts >= custody.valid_from
            and piece.starts < custody.valid_to
    qualify
        row_number() over (
            partition by piece.person_key, piece.starts
            order by custody.from_date, custody.delivery_id, custody.row_number
        ) = 1
),

final as (
    {{ merged_spells('stated', ['person_key'], [
        'household_id', 'part_key', 'basis', 'relation_to_head', 'not_counted_reason', 'is_apart'
    ]) }}
)

select
    household_id,
    part_key,
    person_key,
    basis,
    relation_to_head,
    place_code,
    status,
    changed_on,
    is_apart,
    apart_since,
    not_counted_reason,
    died_on,
    detained_on,
    detained_until,
    valid_from,
    valid_to,
    delivery_id,
    row_number
from final
