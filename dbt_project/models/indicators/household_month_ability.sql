with
month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted and {{ since_rebuild('month') }}
),

certificate as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

school as (
    select * from {{ ref('person_school') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

old_age as (
    {{ city_policy('old_age') }}
),

illness_stays as (
    {{ city_policy('illness_stay_count') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

stay as (
    select
        {{ month_number('greatest(settled_month, known_month)') }} as month_number,
        person_key,
        count(*) as stay_count
    from {{ ref('person_medical_settlement') }}
    where care_type = '3'
    group by {{ month_number('greatest(settled_month, known_month)') }}, person_key
),

recent_stay as (
    select
        month.month,
        stay.person_key,
        sum(stay.stay_count) as stay_count
    from stay
    inner join month
        on
            month.month_number - stay.month_number between 0 and {{ months_before('illness_window_months') }}
    group by month.month, stay.person_key
),

disabled as (
    select
        month.month,
        certificate.person_key,
        bool_or(certificate.is_severe) as is_severe,
        -- Grade 1 is the gravest of four.
        5 - min({{ try_cast('certificate.disability_grade', 'integer') }}) as disability_level
    from certificate
    inner join month
        on
            {{ in_force('month.month', 'certificate') }}
            and certificate.valid_until >= month.month_end
    group by month.month, certificate.person_key
),

schooled as (
    select
        month.month,
        school.person_key,
        bool_or(school.status = '1') as is_student,
        bool_or(school.status = '1' and school.stage in ('4', '5')) as is_senior_student,
        bool_or(school.status = '3') as has_left_school
    from school
    inner join month
        on {{ in_force('month.month', 'school') }}
    group by month.month, school.person_key
),

pension as (
    select
        greatest(pension_month, known_month) as month,
        person_key,
        sum(amount_yuan) as amount_yuan
    from {{ ref('person_pension') }}
    where amount_yuan > 0
    group by greatest(pension_month, known_month), person_key
),

described as (
    select
        member.month,
        member.household_id,
        member.age_years >= old_age.value as is_elder,
        member.age_years >= majority.value and member.age_years < old_age.value as is_of_working_age,
        coalesce(disabled.is_severe, false) as is_severe,
        coalesce(disabled.disability_level, 0) as disability_level,
        coalesce(schooled.is_student, false) as is_student,
        coalesce(schooled.is_senior_student, false) as is_senior_student,
        coalesce(schooled.has_left_school, false) and not coalesce(schooled.is_student, false) as has_left_school,
        coalesce(recent_stay.stay_count, 0) as stay_count,
        coalesce(recent_stay.stay_count, 0) >= illness_stays.value as is_gravely_ill,
        coalesce(pension.amount_yuan, 0) < standard.value as has_low_pension
    from member
    inner join household
        on
            member.month = household.month
            and member.household_id = household.household_id
    left join majority
        on member.month = majority.month
    left join old_age
        on member.month = old_age.month
    left join illness_stays
        on member.month = illness_stays.month
    left join standard
        on
            member.month = standard.month
            and household.county_code = standard.county_code
            and household.area_type = standard.dimension_key
    left join disabled
        on
            member.month = disabled.month
            and member.person_key = disabled.person_key
    left join schooled
        on
            member.month = schooled.month
            and member.person_key = schooled.person_key
    left join recent_stay
        on
            member.month = recent_stay.month
            and member.person_key = recent_stay.person_key
    left join pension
        on
            member.month = pension.month
            and member.person_key = pension.person_key
),

final as (
    select
        month,
        household_id,
        cast(count(*) as integer) as counted_member_count,
        cast(
            count(*) filter (
                where is_of_working_age and not is_severe and not is_student and not is_gravely_ill
            ) as integer
        ) as able_count,
        cast(count(*) filter (where is_of_working_age and is_gravely_ill) as integer) as ill_working_age_count,
        cast(count(*) filter (where stay_count > 0) as integer) as patient_count,
        cast(count(*) filter (where is_of_working_age and is_severe) as integer) as severe_working_age_count,
        cast(max(disability_level) as integer) as disability_level,
        cast(count(*) filter (where is_senior_student) as integer) as senior_student_count,
        cast(count(*) filter (where has_left_school) as integer) as left_school_count,
        cast(count(*) filter (where is_elder and has_low_pension) as integer) as low_pension_elder_count
    from described
    group by month, household_id
)

select * from final
