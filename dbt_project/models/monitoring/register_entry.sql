with
member as (
    select * from {{ ref('benefit_member_month') }}
),

person as (
    select
        month,
        person_key,
        is_counted
    from {{ ref('household_member_month') }}
),

certificate as (
    select
        month,
        certificate_no,
        area_type,
        county_code
    from {{ ref('benefit_household_month') }}
    -- A register carried forward from an earlier month says nothing about this one.
    where not is_register_stale
),

final as (
    select
        member.month,
        member.certificate_no,
        member.programme,
        member.layer,
        member.applicant_key,
        member.person_key,
        member.household_id,
        member.is_applicant,
        coalesce(person.is_counted, true) as is_counted,
        member.review_class,
        member.declared_income_pc_yuan,
        member.monthly_amount_yuan,
        member.approved_on,
        member.reviewed_on,
        certificate.area_type,
        certificate.county_code,
        member.delivery_id,
        member.row_number
    from member
    inner join certificate on member.month = certificate.month and member.certificate_no = certificate.certificate_no
    left join person on member.month = person.month and member.person_key = person.person_key
)

select * from final
