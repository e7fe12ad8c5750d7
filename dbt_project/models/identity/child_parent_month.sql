with
relation as (
    select * from {{ ref('child_parent') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

death as (
    select * from {{ ref('death_first_told') }}
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

disability as (
    select * from {{ ref('person_disability') }}
    where is_severe and status = '1'
),

hukou as (
    select * from {{ ref('hukou_household_member') }}
    where status in ('2', '4')
),

parent as (
    select distinct parent_key as person_key from relation
),

state as (
    select
        month.month,
        parent.person_key,
        1 as precedence,
        'dead' as state,
        death.died_on as state_since,
        death.delivery_id,
        death.row_number
    from parent
    inner join death
        on parent.person_key = death.person_key
    inner join month
        on
            death.known_month <= month.month
            and death.died_on <= month.month_end
    union all
    select
        month.month,
        parent.person_key,
        2 as precedence,
        'custody' as state,
        custody.from_date as state_since,
        custody.delivery_id,
        custody.row_number
    from parent
    inner join custody
        on parent.person_key = custody.person_key
    inner join month
        on {{ in_force('month.month', 'custody') }}
    union all
    select
        month.month,
        parent.person_key,
        3 as precedence,
        'severe_disability' as state,
        disability.issued_on as state_since,
        disability.delivery_id,
        disability.row_number
    from parent
    inner join disability
        on parent.person_key = disability.person_key
    inner join month
        on
            {{ in_force('month.month', 'disability') }}
            and disability.valid_until >= month.month_end
    union all
    select
        month.month,
        parent.person_key,
        case when hukou.status = '4' then 4 else 5 end as precedence,
        case when hukou.status = '4' then 'cancelled' else 'moved_out' end as state,
        hukou.changed_on as state_since,
        hukou.delivery_id,
        hukou.row_number
    from parent
    inner join hukou
        on parent.person_key = hukou.person_key
    inner join month
        on {{ in_force('month.month', 'hukou') }}
),

gravest as (
    select * from state
    qualify
        row_number() over (
            partition by month, person_key
            order by precedence, state_since, delivery_id, row_number
        ) = 1
),

minor as (
    select
        member.month,
        member.person_key
    from member
    inner join majority
        on member.month = majority.month
    where
        member.is_alive
        and member.age_years < majority.value
),

known as (
    select
        minor.month,
        relation.child_key,
        relation.parent_key,
        relation.parent_sex,
        gravest.state,
        gravest.state_since,
        gravest.delivery_id,
        gravest.row_number
    from minor
    inner join relation
        on
            minor.person_key = relation.child_key
            and minor.month >= relation.known_month
    left join gravest
        on
            minor.month = gravest.month
            and relation.parent_key = gravest.person_key
),

final as (
    select
        month,
        child_key,
        parent_key,
        parent_sex,
        state,
        state_since,
        cast(count(*) over (partition by month, child_key) as integer) as known_parent_count,
        cast(count(state) over (partition by month, child_key) as integer) as stated_parent_count,
        delivery_id,
        row_number
    from known
    -- Children all of whose parents can care are of no interest here.
    qualify count(state) over (partition by month, child_key) > 0
)

select * from final
