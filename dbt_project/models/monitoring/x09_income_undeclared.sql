with
found as (
    select * from {{ ref('certificate_month_income') }}
),

ratio as (
    {{ policy_parameter('x09_undeclared_ratio') }}
),

floor_value as (
    {{ policy_parameter('x09_undeclared_floor') }}
),

compared as (
    select
        found.*,
        ratio.value as ratio,
        -- A single good month is no undeclared income: the lower of this month and the one before counts.
        least(
            found.regular_income_pc_yuan,
            coalesce(
                lag(found.regular_income_pc_yuan) over (partition by found.certificate_no order by found.month),
                found.regular_income_pc_yuan
            )
        ) as lasting_pc_yuan,
        floor_value.value as floor_yuan
    from found
    inner join ratio on found.month = ratio.month and found.county_code = ratio.county_code
    inner join floor_value on found.month = floor_value.month and found.county_code = floor_value.county_code
    where found.declared_income_pc_yuan is not null
),

final as (
    select
        month,
        'X09' as indicator,
        household_id,
        max(top_earner_key) as person_key,
        cast(null as varchar) as level,
        max(lasting_pc_yuan) as value,
        max(declared_income_pc_yuan * (1 + ratio)) as threshold,
        {{ evidence_union('evidence') }} as evidence
    from compared
    where
        lasting_pc_yuan - declared_income_pc_yuan > declared_income_pc_yuan * ratio
        and lasting_pc_yuan - declared_income_pc_yuan >= floor_yuan
    group by month, household_id
)

select * from final
