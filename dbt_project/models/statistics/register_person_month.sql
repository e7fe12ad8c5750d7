with
entry as (
    select * from {{ ref('benefit_member_month') }}
),

certificate as (
    select
        month,
        certificate_no,
        village_code,
        township_code,
        county_code,
        area_type
    from {{ ref('benefit_household_month') }}
),

final as (
    select
        entry.month,
        entry.person_key,
        entry.certificate_no,
        entry.layer,
        entry.is_applicant,
        case when entry.is_applicant then entry.monthly_amount_yuan end as monthly_amount_yuan,
        certificate.village_code,
        certificate.township_code,
        certificate.county_code,
        certificate.area_type
    from entry
    inner join certificate on entry.month = certificate.month and entry.certificate_no = certificate.certificate_no
    -- A person on two certificates counts once, in the highest layer.
    qualify
        row_number() over (
            partition by entry.month, entry.person_key
            order by
                case entry.layer
                    when 'destitute' then 1 when 'dibao' then 2 when 'marginal' then 3 else 4
                end,
                entry.certificate_no
        ) = 1
)

select * from final
