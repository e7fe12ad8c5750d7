with
known as (
    select * from {{ ref('household_group') }}
),

-- Everyone votes for the household that they first belonged to; those living count for more than those gone.
vote as (
    select
        epoch_from,
        part_key,
        origin,
        sum(case when is_resident then 100 else 1 end) as votes,
        max(case when is_resident and relation_to_head = '02' then 1 else 0 end) as has_head
    from known
    group by epoch_from, part_key, origin
),

choice as (
    select * from vote
    qualify
        row_number() over (
            partition by epoch_from, part_key
            order by votes desc, has_head desc, origin
        ) = 1
),

-- Of several that split from one, the one with most of its members keeps the identity.
final as (
    select
        epoch_from,
        part_key,
        case
            when
                row_number() over (
                    partition by epoch_from, origin
                    order by votes desc, has_head desc, part_key
                ) = 1
                then {{ letters_key(['origin']) }}
            else {{ letters_key(['origin', 'part_key']) }}
        end as household_id
    from choice
)

select * from final
