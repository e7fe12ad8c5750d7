with
minor as (
    select * from {{ ref('child_minor_month') }}
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

disability as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

spending as (
    select
        month,
        person_key,
        out_of_pocket_12m_yuan
    from {{ ref('person_month_spending') }}
),

line as (
    {{ policy_parameter('n01_medical_line') }}
),

dropped_out as (
    select * from {{ ref('n22_school_dropout') }}
),

disaster as (
    select
        month,
        household_id,
        {{ evidence_union('evidence') }} as evidence
    from {{ ref('n15_disaster') }}
    group by month, household_id
),

told as (
    select
        minor.month,
        minor.person_key,
        concat(minor.assistance_layer, '_household') as hardship,
        {{ evidence_list('certificate.delivery_id', 'certificate.row_number') }} as evidence
    from minor
    inner join certificate
        on minor.month = certificate.month and minor.certificate_no = certificate.certificate_no
    where minor.assistance_layer in ('dibao', 'destitute')
    group by minor.month, minor.person_key, minor.assistance_layer
    union all
    select
        minor.month,
        minor.person_key,
        case when disability.is_severe then 'severely_disabled' else 'disabled' end as hardship,
        {{ evidence_list('disability.delivery_id', 'disability.row_number') }} as evidence
    from minor
    inner join disability
        on
            minor.person_key = disability.person_key
            and {{ in_force('minor.month', 'disability') }}
            and (disability.valid_until is null or minor.month <= disability.valid_until)
    group by minor.month, minor.person_key, disability.is_severe
    union all
    -- The settlements themselves are the evidence of N01; here the line says enough.
    select
        minor.month,
        minor.person_key,
        'seriously_ill' as hardship,
        {{ no_evidence() }} as evidence
    from minor
    inner join spending on minor.month = spending.month and minor.person_key = spending.person_key
    inner join line
        on
            minor.month = line.month
            and minor.county_code = line.county_code
            and minor.register_layer = line.dimension_key
    where spending.out_of_pocket_12m_yuan > line.value
    union all
    select
        minor.month,
        minor.person_key,
        'dropped_out' as hardship,
        dropped_out.evidence
    from minor
    inner join dropped_out on minor.month = dropped_out.month and minor.person_key = dropped_out.person_key
    union all
    select
        minor.month,
        minor.person_key,
        'disaster' as hardship,
        disaster.evidence
    from minor
    inner join disaster on minor.month = disaster.month and minor.household_id = disaster.household_id
),

final as (
    select
        month,
        person_key,
        hardship,
        evidence
    from told
)

select * from final
