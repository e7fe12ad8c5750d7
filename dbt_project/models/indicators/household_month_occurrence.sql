with
months as (
    select * from {{ ref('run_month') }}
),

members as (
    select * from {{ ref('household_member_month') }}
),

medical as (
    select
        settled_month as month,
        person_key,
        case when care_type = '3' then 1 else 0 end as inpatient_count,
        case when care_type = '2' then 1 else 0 end as chronic_count
    from {{ ref('person_medical_settlement') }}
),

divorces as (
    select
        greatest({{ month_of('registered_on') }}, known_month) as month,
        person_key
    from {{ ref('person_marriage_event') }}
    where event = '2'
),

disasters as (
    select
        greatest({{ month_of('occurred_on') }}, known_month) as month,
        person_key,
        {{ try_cast('house_damage', 'integer') }} as house_damage_level
    from {{ ref('person_disaster') }}
),

-- Events of persons, one row each, put on the household of the person in the month they became known.
person_events as (
    select
        month,
        person_key,
        inpatient_count,
        chronic_count,
        0 as divorce_count,
        0 as disaster_count,
        cast(null as integer) as house_damage_level
    from medical
    where inpatient_count + chronic_count > 0
    union all
    select
        month,
        person_key,
        0 as inpatient_count,
        0 as chronic_count,
        1 as divorce_count,
        0 as disaster_count,
        null as house_damage_level
    from divorces
    union all
    select
        month,
        person_key,
        0 as inpatient_count,
        0 as chronic_count,
        0 as divorce_count,
        1 as disaster_count,
        house_damage_level
    from disasters
),

events as (
    select
        members.month,
        members.household_id,
        sum(person_events.inpatient_count) as inpatient_count,
        sum(person_events.chronic_count) as chronic_count,
        -- Both spouses may still stand in one household.
        max(person_events.divorce_count) as divorce_count,
        sum(person_events.disaster_count) as disaster_count,
        max(person_events.house_damage_level) as house_damage_level
    from person_events
    inner join members
        on person_events.month = members.month and person_events.person_key = members.person_key
    group by members.month, members.household_id
),

reports as (
    select
        greatest({{ month_of('reported_on') }}, known_month) as month,
        household_id,
        count(distinct report_no) as report_count
    from {{ ref('person_community_report') }}
    where household_id is not null
    group by greatest({{ month_of('reported_on') }}, known_month), household_id
),

-- States of persons that hold over months, one row a person and month in which they hold.
unemployed as (
    select
        months.month,
        facts.person_key,
        {{ months_between('facts.unemployed_on', 'months.month') }} as months_unemployed
    from {{ ref('person_unemployment') }} as facts
    inner join months on {{ in_force('months.month', 'facts') }}
    where facts.is_unemployed
),

disabled as (
    select
        months.month,
        facts.person_key,
        {{ months_between('facts.issued_on', 'months.month') }} as months_disabled
    from {{ ref('person_disability') }} as facts
    inner join months on {{ in_force('months.month', 'facts') }}
    where facts.issued_on < months.next_month
),

at_college as (
    select distinct
        months.month,
        facts.person_key
    from {{ ref('person_school') }} as facts
    inner join months on {{ in_force('months.month', 'facts') }}
    where facts.stage in ('6', '7') and facts.status = '1'
),

concerning_child as (
    select distinct
        months.month,
        facts.person_key
    from {{ ref('person_child_register') }} as facts
    inner join months on {{ in_force('months.month', 'facts') }}
),

concerning_elder as (
    select distinct
        months.month,
        facts.person_key
    from {{ ref('person_elder_register') }} as facts
    inner join months on {{ in_force('months.month', 'facts') }}
),

person_states as (
    select
        month,
        person_key,
        months_unemployed,
        null as months_disabled,
        0 as college_student_count,
        0 as child_concern_count,
        0 as elder_concern_count
    from unemployed
    union all
    select
        month,
        person_key,
        null as months_unemployed,
        months_disabled,
        0 as college_student_count,
        0 as child_concern_count,
        0 as elder_concern_count
    from disabled
    union all
    select
        month,
        person_key,
        null as months_unemployed,
        null as months_disabled,
        1 as college_student_count,
        0 as child_concern_count,
        0 as elder_concern_count
    from at_college
    union all
    select
        month,
        person_key,
        null as months_unemployed,
        null as months_disabled,
        0 as college_student_count,
        1 as child_concern_count,
        0 as elder_concern_count
    from concerning_child
    union all
    select
        month,
        person_key,
        null as months_unemployed,
        null as months_disabled,
        0 as college_student_count,
        0 as child_concern_count,
        1 as elder_concern_count
    from concerning_elder
),

states as (
    select
        members.month,
        members.household_id,
        min(person_states.months_unemployed) as months_since_unemployed,
        min(person_states.months_disabled) as months_since_disability,
        sum(person_states.college_student_count) as college_student_count,
        sum(person_states.child_concern_count) as child_concern_count,
        sum(person_states.elder_concern_count) as elder_concern_count
    from person_states
    inner join members
        on person_states.month = members.month and person_states.person_key = members.person_key
    where members.is_counted
    group by members.month, members.household_id
),

electricity as (
    select
        greatest(usage_month, known_month) as month,
        household_id,
        {{ sum_of_ratio('kwh') }} as kwh,
        sum(arrears_yuan) as arrears_yuan
    from {{ ref('utility_account_month') }}
    where household_id is not null
    group by greatest(usage_month, known_month), household_id
),

final as (
    select
        households.month,
        households.household_id,
        cast(coalesce(events.inpatient_count, 0) as integer) as inpatient_count,
        cast(coalesce(events.chronic_count, 0) as integer) as chronic_count,
        cast(coalesce(events.divorce_count, 0) as integer) as divorce_count,
        cast(coalesce(events.disaster_count, 0) as integer) as disaster_count,
        cast(coalesce(events.house_damage_level, 0) as integer) as house_damage_level,
        cast(coalesce(reports.report_count, 0) as integer) as report_count,
        cast(states.months_since_unemployed as integer) as months_since_unemployed,
        cast(states.months_since_disability as integer) as months_since_disability,
        cast(coalesce(states.college_student_count, 0) as integer) as college_student_count,
        cast(coalesce(states.child_concern_count, 0) as integer) as child_concern_count,
        cast(coalesce(states.elder_concern_count, 0) as integer) as elder_concern_count,
        cast(electricity.kwh as double) as kwh,
        {{ yuan('electricity.arrears_yuan') }} as arrears_yuan
    from {{ ref('household_month') }} as households
    left join events
        on households.month = events.month and households.household_id = events.household_id
    left join reports
        on households.month = reports.month and households.household_id = reports.household_id
    left join states
        on households.month = states.month and households.household_id = states.household_id
    left join electricity
        on households.month = electricity.month and households.household_id = electricity.household_id
)

select * from final
