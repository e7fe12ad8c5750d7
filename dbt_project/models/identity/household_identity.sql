with recursive
segment as (
    select * from {{ ref('household_segment') }}
),

linked as {{ step() }} (
    select
        segment.part_key,
        segment.valid_from,
        segment.valid_to,
        segment.from_part_key,
        source.valid_from as from_valid_from
    from segment
    inner join segment as source
        on
            segment.from_part_key = source.part_key
            and segment.valid_from > source.valid_from
            and segment.valid_from <= source.valid_to
),

chain as (
    select
        part_key,
        valid_from,
        valid_to,
        case
            when segment_number = 1 then part_key
            else {{ letters_key(['part_key', 'cast(valid_from as string)']) }}
        end as household_id
    from segment
    where from_part_key is null
    union all
    select
        linked.part_key,
        linked.valid_from,
        linked.valid_to,
        chain.household_id
    from linked
    inner join chain
        on
            linked.from_part_key = chain.part_key
            and linked.from_valid_from = chain.valid_from
),

final as (
    select
        part_key,
        household_id,
        valid_from,
        valid_to
    from chain
)

select * from final
