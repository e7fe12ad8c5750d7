with
found as (
    select * from {{ ref('certificate_month_income') }}
),

dibao as (
    {{ policy_parameter('dibao_standard') }}
),

marginal as (
    {{ policy_parameter('marginal_line') }}
),

disposable as (
    {{ policy_parameter('disposable_income_pc') }}
),

-- The line that a certificate has to stay under: for rigid spending the disposable income of a month.
line as (
    select
        month,
        county_code,
        dimension_key as area_type,
        'dibao' as layer,
        value
    from dibao
    union all
    select
        month,
        county_code,
        dimension_key as area_type,
        'destitute' as layer,
        value
    from dibao
    union all
    select
        month,
        county_code,
        dimension_key as area_type,
        'marginal' as layer,
        value
    from marginal
    union all
    select
        month,
        county_code,
        dimension_key as area_type,
        'rigid_expenditure' as layer,
        cast(value as double) / 12 as value
    from disposable
),

needed as (
    {{ policy_parameter('x05_months_over_line') }}
),

compared as (
    select
        found.*,
        line.value as line_yuan,
        needed.value as needed_months,
        found.income_pc_yuan > line.value as is_over
    from found
    inner join line
        on
            found.month = line.month
            and found.county_code = line.county_code
            and found.area_type = line.area_type
            and found.layer = line.layer
    inner join needed on found.month = needed.month and found.county_code = needed.county_code
),

-- Months over the line in a row: those since the last month that was not.
marked as (
    select
        *,
        max(case when not is_over then {{ month_number('month') }} end)
            over (partition by certificate_no order by month) as last_under_number,
        min({{ month_number('month') }}) over (partition by certificate_no) as first_number
    from compared
),

counted as (
    select
        *,
        {{ month_number('month') }} - coalesce(last_under_number, first_number - 1) as over_months
    from marked
),

final as (
    select
        month,
        'X05' as indicator,
        household_id,
        max(top_earner_key) as person_key,
        cast(null as string) as level,
        max(income_pc_yuan) as value,
        max(line_yuan) as threshold,
        {{ evidence_union('evidence') }} as evidence
    from counted
    where is_over and over_months >= needed_months
    group by month, household_id
)

select * from final
