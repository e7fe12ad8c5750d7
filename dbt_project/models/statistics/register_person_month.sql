with
-- A person on two certificates counts once: on the one that `is_counted_here` names.
entry as (
    select * from {{ ref('benefit_member_month') }}
    where {{ since_rebuild('month') }} and is_counted_here
),

certificate as (
    select * from {{ ref('register_household_month') }}
    where {{ since_rebuild('month') }}
),

person as (
    select
        month,
        person_key,
        age_years
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

run_month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

old_age as (
    {{ city_policy('old_age') }}
),

disability as (
    select
        run_month.month,
        disability.person_key,
        max(case when disability.is_severe then 1 else 0 end) as is_severe
    from {{ ref('person_disability') }} as disability
    inner join run_month
        on
            {{ in_force('run_month.month', 'disability') }}
            and disability.valid_until >= run_month.month_end
    where disability.status = '1'
    group by run_month.month, disability.person_key
),

final as (
    select
        entry.month,
        entry.person_key,
        entry.certificate_no,
        certificate.layer,
        certificate.village_code,
        certificate.area_type,
        entry.is_applicant,
        coalesce(person.age_years < majority.value, false) as is_child,
        coalesce(person.age_years >= old_age.value, false) as is_elderly,
        disability.person_key is not null as is_disabled,
        coalesce(disability.is_severe = 1, false) as is_severely_disabled
    from entry
    inner join certificate on entry.month = certificate.month and entry.certificate_no = certificate.certificate_no
    left join person on entry.month = person.month and entry.person_key = person.person_key
    left join disability on entry.month = disability.month and entry.person_key = disability.person_key
    left join majority on entry.month = majority.month
    left join old_age on entry.month = old_age.month
)

select * from final
