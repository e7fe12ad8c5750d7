with
member as (
    select * from {{ ref('household_member_month') }}
),

place as (
    select * from {{ ref('household_month') }}
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

family as (
    select
        member.month,
        member.household_id as family_id,
        member.person_key,
        member.is_counted,
        place.county_code,
        place.area_type
    from member
    inner join place
        on
            member.month = place.month
            and member.household_id = place.household_id
),

means as (
    {{ family_means('family') }}
),

final as (
    select
        means.month,
        means.family_id as household_id,
        {{ means_columns('means') }},
        place.certificate_no,
        certificate.declared_income_pc_yuan,
        {{ yuan('means.income_pc_yuan - certificate.declared_income_pc_yuan') }} as undeclared_income_pc_yuan
    from means
    inner join place
        on
            means.month = place.month
            and means.family_id = place.household_id
    left join certificate
        on
            place.month = certificate.month
            and place.certificate_no = certificate.certificate_no
)

select * from final
