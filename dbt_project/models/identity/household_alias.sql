with
given as (
    select * from {{ source('reference', 'household_given') }}
),

person_alias as (
    select * from {{ source('reference', 'person_alias') }}
),

member as (
    select * from {{ ref('household_member') }}
),

event as (
    select * from {{ ref('household_event') }}
    where event = 'merged_into'
),

known as (
    select
        household_id,
        max(known_to) as known_to
    from member
    group by household_id
),

-- Given out, and not known by that key any more: data were corrected, or the rule was.
orphan as {{ step() }} (
    select
        given.household_id,
        given.month,
        coalesce(person_alias.resolved_key, given.person_key) as person_key,
        given.is_reference
    from given
    left join known
        on given.household_id = known.household_id
    left join person_alias
        on given.person_key = person_alias.person_key
    where known.household_id is null
),

-- Its members of that month vote with where they stand in it now; the reference person breaks a tie.
vote as {{ step() }} (
    select
        orphan.household_id,
        orphan.month,
        member.household_id as current_household_id,
        count(*) as votes,
        max(case when orphan.is_reference then 1 else 0 end) as has_reference
    from orphan
    inner join member
        on
            orphan.person_key = member.person_key
            and orphan.month >= member.known_from
            and orphan.month < member.known_to
    group by orphan.household_id, orphan.month, member.household_id
),

derived_anew as (
    select
        household_id,
        current_household_id,
        month as since_month,
        'derived_anew' as reason
    from vote
    qualify
        row_number() over (
            partition by household_id
            order by votes desc, has_reference desc, current_household_id
        ) = 1
),

-- Ended, all members elsewhere: whoever asks for it is led to those whom they joined.
merged as {{ step() }} (
    select
        event.household_id,
        event.other_household_id as current_household_id,
        event.known_month as since_month,
        'merged_into' as reason
    from event
),

direct as (
    select * from derived_anew
    union all
    select * from merged
),

-- A household that was led to may itself have ended since.
final as (
    select
        direct.household_id,
        coalesce(third.current_household_id, second.current_household_id, direct.current_household_id)
            as current_household_id,
        direct.since_month,
        direct.reason
    from direct
    left join merged as second
        on direct.current_household_id = second.household_id
    left join merged as third
        on second.current_household_id = third.household_id
)

select * from final
