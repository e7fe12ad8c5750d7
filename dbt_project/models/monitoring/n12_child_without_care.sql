with
parent as (
    select * from {{ ref('child_parent_month') }}
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

needed as (
    {{ city_policy('unattended_child_months') }}
),

-- Custody keeps a parent away where it has lasted, or is to last, as long as the rule asks.
away as (
    select
        parent.month,
        parent.child_key,
        parent.parent_key,
        parent.state,
        parent.state_since,
        parent.delivery_id,
        parent.row_number,
        parent.state in ('dead', 'severe_disability')
        or (
            parent.state = 'custody'
            and (
                custody.until_date is null
                or {{ months_between('custody.from_date', 'custody.until_date') }} >= needed.value
                or {{ months_between('custody.from_date', 'parent.month') }} >= needed.value
            )
        ) as is_away
    from parent
    inner join needed on parent.month = needed.month
    left join custody
        on
            parent.parent_key = custody.person_key
            and parent.state = 'custody'
            and {{ in_force('parent.month', 'custody') }}
),

-- One parent known alone proves nothing about the other.
child as (
    select
        month,
        child_key as person_key,
        count(*) as value,
        sum(case when state = 'dead' then 1 else 0 end) as dead_count,
        max(state_since) as since_day,
        {{ evidence_list() }} as evidence
    from away
    group by month, child_key
    having count(*) >= 2 and count(*) = sum(case when is_away then 1 else 0 end)
),

registered as (
    select * from {{ ref('person_child_register') }}
    where child_category in ('1', '2')
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

final as (
    select
        child.month,
        'N12' as indicator,
        member.household_id,
        child.person_key,
        cast(null as varchar) as level,
        child.value,
        cast(2 as decimal(18, 4)) as threshold,
        child.evidence
    from child
    inner join member on child.month = member.month and child.person_key = member.person_key
    left join registered on child.person_key = registered.person_key and {{ in_force('child.month', 'registered') }}
    where registered.person_key is null
)

select * from final
