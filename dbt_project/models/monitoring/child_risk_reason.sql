with
child as (
    select * from {{ ref('child_concern_month') }}
),

hardship as (
    select
        month,
        person_key,
        hardship
    from {{ ref('child_hardship') }}
),

allowance as (
    select * from {{ ref('allowance_due_month') }}
    where kind = 'child' and is_missing
),

death as (
    select
        person_key,
        died_on,
        death_known_month
    from {{ ref('person') }}
    where died_on is not null
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

disability as (
    select * from {{ ref('person_disability') }}
    where is_severe and status = '1'
),

catalogue as (
    select
        reason,
        level,
        sort_order
    from {{ source('reference', 'child_risk_reason') }}
),

guardian_unable as (
    select
        child.month,
        child.person_key
    from child
    left join death on child.guardian_key = death.person_key and child.month >= death.death_known_month
    left join custody
        on
            child.guardian_key = custody.person_key
            and {{ in_force('child.month', 'custody') }}
            and (custody.until_date is null or child.month <= custody.until_date)
    left join disability
        on
            child.guardian_key = disability.person_key
            and {{ in_force('child.month', 'disability') }}
            and (disability.valid_until is null or child.month <= disability.valid_until)
    where
        child.guardian_key is not null
        and coalesce(death.person_key, custody.person_key, disability.person_key) is not null
),

found as (
    select
        month,
        person_key,
        case
            when data_state in ('orphan', 'unattended') and difference = 'not_registered'
                then concat(data_state, '_unregistered')
            when state in ('orphan', 'unattended', 'unattended_unverified', 'left_behind') then state
            else 'registered'
        end as reason
    from child
    -- Children whose only concern is a hardship of their own are shown by that.
    where state not in ('other_difficulty', 'migrant') or register_category is not null
    union all
    select
        month,
        person_key,
        'no_adult_at_home' as reason
    from child
    where not has_grown_up_at_home
    union all
    select
        month,
        person_key,
        'wrong_category' as reason
    from child
    where difference in ('wrong_category', 'not_confirmed', 'too_old')
    union all
    select
        month,
        person_key,
        'guardian_unable' as reason
    from guardian_unable
    union all
    select
        month,
        person_key,
        'benefit_missing' as reason
    from allowance
    union all
    select
        month,
        person_key,
        hardship as reason
    from hardship
),

final as (
    select distinct
        found.month,
        found.person_key,
        found.reason,
        catalogue.level,
        catalogue.sort_order
    from found
    inner join child on found.month = child.month and found.person_key = child.person_key
    inner join catalogue on found.reason = catalogue.reason
)

select * from final
