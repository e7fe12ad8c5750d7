with
member as (
    select * from {{ ref('household_member') }}
),

place as (
    select * from {{ ref('household_place') }}
),

month as (
    select max(month) as last_month from {{ ref('run_month') }}
),

compared as {{ step() }} (
    select
        *,
        lag(household_id) over person_rows as previous_household_id,
        lag(known_to) over person_rows as previous_known_to
    from member
    window person_rows as (partition by person_key order by known_from)
),

arrival as {{ step() }} (
    select
        *,
        min(known_from) over (partition by household_id) as formed_month
    from compared
    where
        previous_household_id is null
        or previous_household_id <> household_id
),

-- One person stands for the others: who brought most along cannot be told from a row, so the first by key.
formed as (
    select
        household_id,
        case when previous_household_id is null then 'formed' else 'split_from' end as event,
        cast(null as string) as person_key,
        previous_household_id as other_household_id,
        valid_from as event_on,
        known_from as known_month,
        reason_joined as reason,
        delivery_id,
        row_number
    from arrival
    where known_from = formed_month
    qualify
        row_number() over (
            partition by household_id
            order by (previous_household_id is null), is_counted desc, valid_from, person_key
        ) = 1
),

joined as (
    select
        household_id,
        case when reason_joined = 'born' then 'born_into' else 'joined' end as event,
        person_key,
        previous_household_id as other_household_id,
        valid_from as event_on,
        known_from as known_month,
        reason_joined as reason,
        delivery_id,
        row_number
    from arrival
    where
        known_from > formed_month
        or reason_joined = 'born'
),

gone as (
    select
        previous_household_id as household_id,
        'left' as event,
        person_key,
        household_id as other_household_id,
        valid_from as event_on,
        known_from as known_month,
        reason_joined as reason,
        delivery_id,
        row_number
    from arrival
    where previous_household_id is not null
),

-- All that is left of a household is elsewhere.
ended as (
    select
        household_id,
        max(known_to) as ended_month
    from member
    group by household_id
    having max(known_to) < date '9999-12-31'
),

brought as {{ step() }} (
    select
        ended.household_id as ended_household_id,
        arrival.*,
        count(*) over (partition by ended.household_id, arrival.household_id) as brought_count
    from ended
    inner join arrival
        on
            ended.household_id = arrival.previous_household_id
            and ended.ended_month = arrival.known_from
),

merged as (
    select
        ended_household_id as household_id,
        'merged_into' as event,
        cast(null as string) as person_key,
        household_id as other_household_id,
        valid_from as event_on,
        known_from as known_month,
        reason_joined as reason,
        delivery_id,
        row_number
    from brought
    qualify
        row_number() over (
            partition by ended_household_id
            order by brought_count desc, household_id, person_key
        ) = 1
),

died as (
    select
        household_id,
        'died' as event,
        person_key,
        cast(null as string) as other_household_id,
        valid_from as event_on,
        known_from as known_month,
        reason_joined as reason,
        delivery_id,
        row_number
    from member
    where reason_joined = 'dead'
),

placed as (
    select
        household_id,
        valid_from,
        village_code,
        lag(village_code) over (partition by household_id order by valid_from) as previous_village_code
    from place
),

-- The household is now in another village; whoever moved first tells of it.
moved as (
    select
        placed.household_id,
        'moved' as event,
        cast(null as string) as person_key,
        cast(null as string) as other_household_id,
        coalesce(member.valid_from, placed.valid_from) as event_on,
        placed.valid_from as known_month,
        'moved' as reason,
        member.delivery_id,
        member.row_number
    from placed
    left join member
        on
            placed.household_id = member.household_id
            and placed.valid_from = member.known_from
    where placed.previous_village_code <> placed.village_code
    qualify
        row_number() over (
            partition by placed.household_id, placed.valid_from
            order by member.valid_from, member.person_key
        ) = 1
),

told as (
    select * from formed
    union all
    select * from joined
    union all
    select * from gone
    union all
    select * from merged
    union all
    select * from died
    union all
    select * from moved
),

final as (
    select told.*
    from told
    inner join month
        on told.known_month <= month.last_month
)

select * from final
