with
delivered as (
    select * from {{ ref('stg_disabled_federation__disability_register') }}
    where {{ open_since_rebuild('disability_register') }}
),

severe_grade as (
    {{ city_policy('severe_disability_grade') }}
),

first_seen as (
    select
        certificate_key,
        min(valid_from) as first_seen_month
    from delivered
    group by certificate_key
    {%- if is_incremental() %}
    union all
    select
        certificate_key,
        first_seen_month
    from {{ this }}
    where first_seen_month < {{ rebuild_from() }}
    {%- endif %}
),

known as (
    select
        certificate_key,
        min(first_seen_month) as first_seen_month
    from first_seen
    group by certificate_key
),

certificate as (
    select
        delivered.*,
        known.first_seen_month
    from delivered
    inner join known
        on delivered.certificate_key = known.certificate_key
    qualify
        row_number() over (
            partition by delivered.certificate_key, delivered.valid_from
            order by delivered.delivery_id, delivered.row_number desc
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
