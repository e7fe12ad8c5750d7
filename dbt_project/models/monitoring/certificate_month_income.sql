with
entry as (
    select * from {{ ref('register_entry') }}
),

income as (
    select * from {{ ref('person_month_income') }}
),

fund as (
    select * from {{ ref('person_housing_fund') }}
    -- Deposits are going in: an employer pays a wage, whatever the tax office was told.
    where is_active and monthly_deposit_yuan > 0
),

counted as (
    select * from entry
    where is_counted
),

person as (
    select
        counted.month,
        counted.certificate_no,
        counted.person_key,
        sum(income.counted_yuan) as income_yuan,
        sum(case when income.source in ('wage', 'pension') then income.counted_yuan else 0 end) as regular_yuan,
        sum(case when income.source = 'pension' then income.counted_yuan else 0 end) as assured_yuan,
        sum(case when income.is_work then income.counted_yuan else 0 end) as work_yuan,
        {{ evidence_list('income.delivery_id', 'income.row_number') }} as evidence
    from counted
    inner join income on counted.month = income.month and counted.person_key = income.person_key
    group by counted.month, counted.certificate_no, counted.person_key
),

deposit as (
    select
        counted.month,
        counted.certificate_no,
        counted.person_key,
        sum(fund.base_yuan) as wage_yuan,
        {{ evidence_list('fund.delivery_id', 'fund.row_number') }} as evidence
    from counted
    inner join fund on counted.person_key = fund.person_key and {{ in_force('counted.month', 'fund') }}
    left join person
        on
            counted.month = person.month
            and counted.certificate_no = person.certificate_no
            and counted.person_key = person.person_key
    where coalesce(person.work_yuan, 0) = 0
    group by counted.month, counted.certificate_no, counted.person_key
),

found as (
    select
        month,
        certificate_no,
        person_key,
        income_yuan,
        regular_yuan,
        assured_yuan,
        evidence
    from person
    union all
    select
        month,
        certificate_no,
        person_key,
        0 as income_yuan,
        wage_yuan as regular_yuan,
        wage_yuan as assured_yuan,
        evidence
    from deposit
),

found_sum as (
    select
        month,
        certificate_no,
        sum(income_yuan) as income_yuan,
        sum(regular_yuan) as regular_yuan,
        sum(assured_yuan) as assured_yuan,
        {{ value_at_max('person_key', 'income_yuan + regular_yuan') }} as top_earner_key,
        {{ evidence_union('evidence') }} as evidence
    from found
    group by month, certificate_no
),

certificate as (
    select
        month,
        certificate_no,
        max(layer) as layer,
        max(county_code) as county_code,
        max(area_type) as area_type,
        max(declared_income_pc_yuan) as declared_income_pc_yuan,
        coalesce(max(case when is_applicant then household_id end), max(household_id)) as household_id,
        max(applicant_key) as applicant_key,
        count(distinct person_key) as counted_member_count,
        {{ evidence_list() }} as register_evidence
    from counted
    group by month, certificate_no
),

final as (
    select
        certificate.month,
        certificate.certificate_no,
        certificate.household_id,
        certificate.layer,
        certificate.county_code,
        certificate.area_type,
        certificate.counted_member_count,
        certificate.declared_income_pc_yuan,
        coalesce(found_sum.top_earner_key, certificate.applicant_key) as top_earner_key,
        {{ yuan(
            'cast(coalesce(found_sum.income_yuan, 0) as double) / certificate.counted_member_count'
        ) }} as income_pc_yuan,
        {{ yuan(
            'cast(coalesce(found_sum.regular_yuan, 0) as double) / certificate.counted_member_count'
        ) }} as regular_income_pc_yuan,
        {{ yuan('coalesce(found_sum.assured_yuan, 0)') }} as assured_income_yuan,
        {{ evidence_concat(
            'certificate.register_evidence',
            'coalesce(found_sum.evidence, ' ~ no_evidence() ~ ')'
        ) }} as evidence
    from certificate
    left join found_sum
        on certificate.month = found_sum.month and certificate.certificate_no = found_sum.certificate_no
)

select * from final
