with
delivered as (
    select * from {{ ref('stg_disabled_federation__disability_register') }}
),

severe_grade as (
    {{ city_policy('severe_disability_grade') }}
),

certificate as (
    select
        *,
        min(valid_from) over (partition by certificate_key) as first_seen_month
    from delivered
    qualify
        row_number() over (
            partition by certificate_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
),

final as (
    select
        certificate.certificate_key,
        certificate.person_key,
        certificate.disability_type,
        certificate.disability_grade,
        certificate.issued_on,
        certificate.valid_until,
        certificate.status,
        certificate.disability_grade in ('1', '2') as is_grade_1_2,
        coalesce(
            cast(certificate.disability_grade as integer) <= severe_grade.value,
            certificate.disability_grade in ('1', '2')
        ) as is_severe,
        certificate.first_seen_month,
        certificate.valid_from,
        certificate.valid_to,
        certificate.delivery_id,
        certificate.row_number
    from certificate
    left join severe_grade
        on
            certificate.disability_type = severe_grade.dimension_key
            and certificate.valid_from = severe_grade.month
)

select * from final
