with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

school as (
    select * from {{ ref('person_school') }}
    where status = '1'
),

disability as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where is_unemployed
),

contribution as (
    select * from {{ ref('person_contribution') }}
    where status = '1'
),

pension as (
    select * from {{ ref('person_pension') }}
    where amount_yuan > 0
),

death as (
    select * from {{ ref('person_death') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

preschool as (
    {{ city_policy('preschool_age') }}
),

old_age as (
    {{ city_policy('old_age') }}
),

allowance_age as (
    {{ city_policy('old_age_allowance_age') }}
),

-- What is true of a person in a month, one row per person and fact.
fact as (
    select
        month.month,
        school.person_key,
        'student' as fact
    from school
    inner join month
        on {{ in_force('month.month', 'school') }}
    union all
    select
        month.month,
        disability.person_key,
        case when disability.is_severe then 'severe' else 'disabled' end as fact
    from disability
    inner join month
        on
            {{ in_force('month.month', 'disability') }}
            and disability.valid_until >= month.month_end
    union all
    select
        month.month,
        unemployment.person_key,
        'unemployed' as fact
    from unemployment
    inner join month
        on {{ in_force('month.month', 'unemployment') }}
    union all
    select
        contribution_month as month,
        person_key,
        'contributing' as fact
    from contribution
    union all
    select
        pension_month as month,
        person_key,
        'pensioner' as fact
    from pension
    union all
    select
        known_month as month,
        person_key,
        'death' as fact
    from death
),

person_fact as (
    select
        month,
        person_key,
        bool_or(fact = 'student') as is_student,
        bool_or(fact in ('severe', 'disabled')) as is_disabled,
        bool_or(fact = 'severe') as is_severely_disabled,
        bool_or(fact = 'unemployed') as is_unemployed,
        bool_or(fact = 'contributing') as is_contributing,
        bool_or(fact = 'pensioner') as is_pensioner,
        bool_or(fact = 'death') as has_died
    from fact
    group by month, person_key
),

described as (
    select
        member.month,
        member.household_id,
        member.is_counted,
        member.not_counted_reason,
        member.is_counted and member.age_years < majority.value as is_minor,
        member.is_counted and member.age_years >= old_age.value as is_elder,
        member.is_counted and member.age_years >= allowance_age.value as is_allowance_age,
        member.is_counted and member.age_years < preschool.value as is_preschool,
        member.is_counted and coalesce(person_fact.is_student, false) as is_student,
        member.is_counted and coalesce(person_fact.is_disabled, false) as is_disabled,
        member.is_counted and coalesce(person_fact.is_severely_disabled, false) as is_severely_disabled,
        member.is_counted and coalesce(person_fact.is_unemployed, false) as is_unemployed,
        member.is_counted and coalesce(person_fact.is_contributing, false) as is_contributing,
        member.is_counted and coalesce(person_fact.is_pensioner, false) as is_pensioner,
        coalesce(person_fact.has_died, false) as has_died
    from member
    left join majority
        on member.month = majority.month
    left join preschool
        on member.month = preschool.month
    left join old_age
        on member.month = old_age.month
    left join allowance_age
        on member.month = allowance_age.month
    left join person_fact
        on
            member.month = person_fact.month
            and member.person_key = person_fact.person_key
),

counted as (
    select
        month,
        household_id,
        count(*) filter (where is_counted) as counted_member_count,
        count(*) filter (where is_minor) as minor_count,
        count(*) filter (where is_preschool) as preschool_count,
        count(*) filter (where is_counted and not is_minor and not is_elder) as working_age_count,
        count(*) filter (where is_elder) as elder_count,
        count(*) filter (where is_allowance_age) as elder_80_count,
        count(*) filter (where is_student) as student_count,
        count(*) filter (where is_disabled) as disabled_count,
        count(*) filter (where is_severely_disabled) as severely_disabled_count,
        count(*) filter (where is_unemployed) as unemployed_count,
        count(*) filter (where is_contributing) as contributing_count,
        count(*) filter (where is_pensioner) as pensioner_count,
        count(*) filter (where not_counted_reason = 'custody') as detained_count,
        count(*) filter (where has_died) as death_count
    from described
    group by month, household_id
),

windowed as (
    select
        counted.*,
        sum(counted.death_count) over (
            partition by counted.household_id
            order by month.month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ) as death_12m_count
    from counted
    inner join month
        on counted.month = month.month
),

final as (
    select
        household.month,
        household.household_id,
        household.counted_member_count,
        cast(windowed.minor_count as integer) as minor_count,
        cast(windowed.preschool_count as integer) as preschool_count,
        cast(windowed.working_age_count as integer) as working_age_count,
        cast(windowed.elder_count as integer) as elder_count,
        cast(windowed.elder_80_count as integer) as elder_80_count,
        cast(windowed.student_count as integer) as student_count,
        cast(windowed.disabled_count as integer) as disabled_count,
        cast(windowed.severely_disabled_count as integer) as severely_disabled_count,
        cast(windowed.unemployed_count as integer) as unemployed_count,
        cast(windowed.contributing_count as integer) as contributing_count,
        cast(windowed.pensioner_count as integer) as pensioner_count,
        cast(windowed.detained_count as integer) as detained_count,
        cast(windowed.death_count as integer) as death_count,
        cast(windowed.death_12m_count as integer) as death_12m_count,
        windowed.counted_member_count = 1 and windowed.elder_count = 1 as is_lone_elder,
        windowed.elder_count > 0 and windowed.elder_count = windowed.counted_member_count as is_elder_only,
        windowed.minor_count > 0
        and windowed.working_age_count = 1
        and windowed.elder_count = 0 as is_single_parent,
        case
            when windowed.working_age_count > 0
                then cast(windowed.minor_count + windowed.elder_count as double) / windowed.working_age_count
        end as dependency_ratio
    from household
    inner join windowed
        on
            household.month = windowed.month
            and household.household_id = windowed.household_id
)

select * from final
