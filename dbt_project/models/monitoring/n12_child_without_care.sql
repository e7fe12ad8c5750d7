with
parent as (
    select * from {{ ref('child_parent_care') }}
),

-- One parent known alone proves nothing about the other. What has to be verified first is no statement.
child as (
    select
        month,
        child_key as person_key,
        count(*) as value,
        {{ evidence_list() }} as evidence
    from parent
    group by month, child_key
    having count(*) >= 2 and count(*) = sum(case when care in ('gone', 'unable') then 1 else 0 end)
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
        cast(null as string) as level,
        child.value,
        cast(2 as decimal(18, 4)) as threshold,
        child.evidence
    from child
    inner join member on child.month = member.month and child.person_key = member.person_key
    left join registered on child.person_key = registered.person_key and {{ in_force('child.month', 'registered') }}
    where registered.person_key is null
)

select * from final
