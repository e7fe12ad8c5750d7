with
certificate as (
    select * from {{ ref('benefit_household_member') }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

monthly as (
    select
        month.month,
        certificate.*
    from certificate
    inner join month
        on {{ in_force('month.month', 'certificate') }}
    qualify
        row_number() over (
            partition by month.month, certificate.certificate_no, certificate.person_key
            order by certificate.valid_from desc, certificate.delivery_id
        ) = 1
),

final as (
    select
        monthly.month,
        monthly.certificate_no,
        monthly.programme,
        monthly.layer,
        monthly.applicant_key,
        monthly.person_key,
        member.household_id,
        monthly.is_applicant,
        monthly.review_class,
        monthly.household_size,
        monthly.declared_income_pc_yuan,
        monthly.monthly_amount_yuan,
        monthly.care_mode,
        monthly.approved_on,
        monthly.reviewed_on,
        monthly.division_code,
        monthly.valid_from,
        -- At most one benefit household a person: the gravest layer, then the certificate approved first.
        row_number() over (
            partition by monthly.month, monthly.person_key
            order by
                case monthly.layer
                    when 'destitute' then 1
                    when 'dibao' then 2
                    when 'marginal' then 3
                    else 4
                end,
                monthly.approved_on,
                monthly.certificate_no
        ) = 1 as is_counted_here,
        monthly.delivery_id,
        monthly.row_number
    from monthly
    left join member
        on
            monthly.month = member.month
            and monthly.person_key = member.person_key
)

select * from final
