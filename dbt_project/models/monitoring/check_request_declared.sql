with
member as (
    select * from {{ ref('check_request_member') }}
    where is_asked
),

listed as (
    select * from {{ ref('benefit_member_month') }}
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

result as (
    select * from {{ ref('check_request_layer') }}
),

request as (
    select * from {{ ref('check_request') }}
),

ratio as (
    {{ policy_parameter('x09_undeclared_ratio') }}
),

floor_value as (
    {{ policy_parameter('x09_undeclared_floor') }}
),

named as (
    select
        member.month,
        member.request_no,
        listed.certificate_no,
        cast(count(*) as integer) as named_member_count
    from member
    inner join listed
        on
            member.month = listed.month
            and member.person_key = listed.person_key
    group by member.month, member.request_no, listed.certificate_no
),

final as (
    select
        named.month,
        named.request_no,
        named.certificate_no,
        certificate.layer,
        certificate.programme,
        certificate.member_count,
        certificate.household_size,
        named.named_member_count,
        certificate.declared_income_pc_yuan,
        result.income_pc_yuan as found_income_pc_yuan,
        certificate.monthly_amount_yuan,
        certificate.approved_on,
        certificate.reviewed_on,
        coalesce(
            result.is_income_known
            and result.income_pc_yuan - certificate.declared_income_pc_yuan
            > certificate.declared_income_pc_yuan * ratio.value
            and result.income_pc_yuan - certificate.declared_income_pc_yuan >= floor_value.value,
            false
        ) as is_declared_lower,
        certificate.delivery_id,
        certificate.row_number
    from named
    inner join certificate
        on
            named.month = certificate.month
            and named.certificate_no = certificate.certificate_no
    inner join request
        on
            named.month = request.month
            and named.request_no = request.request_no
    inner join result
        on
            named.month = result.month
            and named.request_no = result.request_no
    left join ratio
        on
            named.month = ratio.month
            and request.county_code = ratio.county_code
    left join floor_value
        on
            named.month = floor_value.month
            and request.county_code = floor_value.county_code
)

select * from final
