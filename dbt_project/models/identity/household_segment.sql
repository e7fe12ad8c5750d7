with
placement as {{ step() }} (
    select
        person_key,
        part_key,
        case when is_resident then 100 else 1 end as weight,
        case when is_resident and relation_to_head = '02' then 1 else 0 end as is_head,
        valid_from,
        valid_to,
        lag(part_key) over (partition by person_key order by valid_from) as previous_part_key
    from {{ ref('household_placement') }}
),

transition as {{ step() }} (
    select distinct
        valid_from as month,
        previous_part_key as from_part_key,
        part_key as to_part_key
    from placement
    where previous_part_key <> part_key
),

-- Only where somebody comes or goes is there anything to decide.
turn as {{ step() }} (
    select
        month,
        from_part_key as part_key
    from transition
    union distinct
    select
        month,
        to_part_key as part_key
    from transition
),

present as {{ step() }} (
    select
        turn.month,
        turn.part_key,
        placement.weight,
        placement.is_head,
        case
            when placement.valid_from = turn.month then placement.previous_part_key
            else placement.part_key
        end as from_part_key
    from turn
    inner join placement
        on
            turn.part_key = placement.part_key
            and {{ in_force('turn.month', 'placement') }}
),

-- Whoever comes back after months in which nobody was left has no household to bring along.
lasting as {{ step() }} (
    select distinct
        turn.month,
        turn.part_key
    from turn
    inner join placement
        on
            turn.part_key = placement.part_key
            and turn.month > placement.valid_from
            and turn.month <= placement.valid_to
),

-- Everyone votes for the household of the month before; those living count for more than those gone.
vote as {{ step() }} (
    select
        present.month,
        present.part_key,
        present.from_part_key,
        sum(present.weight) as votes,
        max(present.is_head) as has_head
    from present
    inner join lasting
        on
            present.month = lasting.month
            and present.from_part_key = lasting.part_key
    group by present.month, present.part_key, present.from_part_key
),

-- Of several that part, those with most of the members keep the household, and of several that join, those who bring
-- most members. What is not taken then goes to the next: two who leave a household for another of their size do not
-- take its key away from whoever stays.
heir as {{ step() }} (
    {{ most_votes('vote', 'from_part_key', 'part_key') }}
),

first_choice as {{ step() }} (
    {{ most_votes('heir', 'part_key', 'from_part_key') }}
),

left_over as {{ step() }} (
    select vote.*
    from vote
    left join first_choice as taken
        on
            vote.month = taken.month
            and vote.from_part_key = taken.from_part_key
    left join first_choice as served
        on
            vote.month = served.month
            and vote.part_key = served.part_key
    where
        taken.part_key is null
        and served.part_key is null
),

second_heir as (
    {{ most_votes('left_over', 'from_part_key', 'part_key') }}
),

second_choice as (
    {{ most_votes('second_heir', 'part_key', 'from_part_key') }}
),

inherited as {{ step() }} (
    select * from first_choice
    union all
    select * from second_choice
),

settled as {{ step() }} (
    select distinct
        present.month,
        present.part_key,
        inherited.from_part_key
    from present
    left join inherited
        on
            present.month = inherited.month
            and present.part_key = inherited.part_key
),

appeared as (
    select
        part_key,
        min(valid_from) as month
    from placement
    group by part_key
),

-- After a part has emptied, those who come to it later are a household of their own.
emptied as (
    select
        turn.part_key,
        min(placement.valid_from) as month
    from turn
    left join present
        on
            turn.month = present.month
            and turn.part_key = present.part_key
    inner join placement
        on
            turn.part_key = placement.part_key
            and turn.month < placement.valid_from
    where present.part_key is null
    group by turn.part_key, turn.month
),

begun as {{ step() }} (
    select
        part_key,
        month,
        from_part_key
    from settled
    where
        from_part_key is null
        or from_part_key <> part_key
    union distinct
    select
        opened.part_key,
        opened.month,
        cast(null as string) as from_part_key
    from (
        select
            part_key,
            month
        from appeared
        union distinct
        select
            part_key,
            month
        from emptied
    ) as opened
    left join settled
        on
            opened.part_key = settled.part_key
            and opened.month = settled.month
    where settled.part_key is null
),

final as (
    select
        part_key,
        from_part_key,
        month as valid_from,
        lead(month, 1, date '9999-12-31') over (partition by part_key order by month) as valid_to,
        cast(row_number() over (partition by part_key order by month) as integer) as segment_number
    from begun
)

select * from final
