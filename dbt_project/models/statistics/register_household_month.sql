with
certificate as (
    select * from {{ ref('benefit_household_month') }}
    where {{ since_rebuild('month') }}
),

-- A certificate counts as a household where anybody counts on it.
member as (
    select
        month,
        certificate_no,
        sum(case when is_counted_here then 1 else 0 end) as counted_count
    from {{ ref('benefit_member_month') }}
    where {{ since_rebuild('month') }}
    group by month, certificate_no
),

place as (
    select * from {{ ref('place') }}
),

period as (
    {{ policy_parameter('review_months') }}
),

reviewed as (
    select
        certificate.*,
        period.value as review_months,
        -- An approval is a review: one that came after the last review starts the period anew.
        greatest(coalesce(certificate.reviewed_on, certificate.approved_on), certificate.approved_on) as checked_on
    from certificate
    left join period
        on
            certificate.month = period.month
            and certificate.county_code = period.county_code
            and certificate.review_class = period.dimension_key
),

final as (
    select
        reviewed.month,
        reviewed.certificate_no,
        reviewed.layer,
        place.village_code,
        place.is_known as is_placed,
        reviewed.household_id,
        reviewed.applicant_key,
        reviewed.area_type,
        reviewed.monthly_amount_yuan,
        reviewed.approved_on,
        reviewed.review_class,
        member.counted_count > 0 as is_household,
        reviewed.is_register_stale,
        -- A register carried forward says nothing about the reviews of this month.
        member.counted_count > 0
        and not reviewed.is_register_stale
        and coalesce({{ months_between('reviewed.checked_on', 'reviewed.month') }} >= reviewed.review_months, false)
            as is_review_due,
        member.counted_count > 0
        and not reviewed.is_register_stale
        and coalesce({{ month_of('reviewed.reviewed_on') }} = reviewed.month, false) as is_review_done,
        member.counted_count > 0
        and not reviewed.is_register_stale
        and coalesce({{ months_between('reviewed.checked_on', 'reviewed.month') }} > reviewed.review_months, false)
            as is_review_overdue
    from reviewed
    inner join member on reviewed.month = member.month and reviewed.certificate_no = member.certificate_no
    inner join place on coalesce(reviewed.village_code, '') = place.told_code
)

select * from final
