with
certificate as (
    select
        *,
        -- An approval is a review: one that came after the last review starts the period anew.
        greatest(coalesce(reviewed_on, approved_on), approved_on) as checked_on
    from {{ ref('benefit_household_month') }}
    where not is_register_stale
),

period as (
    {{ policy_parameter('review_months') }}
),

final as (
    select
        certificate.month,
        'X08' as indicator,
        certificate.household_id,
        max(certificate.applicant_key) as person_key,
        cast(null as string) as level,
        max({{ months_between('certificate.checked_on', 'certificate.month') }}) as value,
        max(period.value) as threshold,
        {{ evidence_list('certificate.delivery_id', 'certificate.row_number') }} as evidence
    from certificate
    inner join period
        on
            certificate.month = period.month
            and certificate.county_code = period.county_code
            and certificate.review_class = period.dimension_key
    -- Due within the month that lies so many months later; overdue from the month after.
    where {{ months_between('certificate.checked_on', 'certificate.month') }} > period.value
    group by certificate.month, certificate.household_id
)

select * from final
