with
member as (
    select * from {{ ref('household_member') }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

person as (
    select * from {{ ref('person') }}
),

final as (
    select
        month.month,
        member.household_id,
        member.person_key,
        member.role,
        member.basis,
        member.is_counted,
        member.not_counted_reason,
        member.not_counted_since,
        person.sex,
        {{ age_years(
            'person.born_on',
            "case when member.not_counted_reason = 'dead' then coalesce(person.died_on, month.month_end) "
            ~ "else month.month_end end"
        ) }} as age_years,
        coalesce(member.not_counted_reason, '') <> 'dead' as is_alive
    from member
    inner join month
        on
            member.known_from <= month.month
            and member.known_to > month.month
    inner join person
        on member.person_key = person.person_key
)

select * from final
