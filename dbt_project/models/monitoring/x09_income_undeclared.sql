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

first_month as (
    select min(month) as month from {{ ref('run_month') }}
),

-- A certificate with the month before, where it stood in it.
sequence as (
    select
        *,
        lag(regular_income_pc_yuan) over (partition by certificate_no order by month) as before_income_pc_yuan,
        lag(counted_member_count) over (partition by certificate_no order by month) as before_member_count
    from found
),

compared as (
    select
        sequence.*,
        ratio.value as ratio,
        greatest(
            -- A single good month is no undeclared wage: the lower of this month and the one before counts.
            least(
                sequence.regular_income_pc_yuan,
                -- Newly on the register: the first month says nothing yet, unless nothing at all is known of before.
                coalesce(
                    sequence.before_income_pc_yuan,
                    case when sequence.month = first_month.month then sequence.regular_income_pc_yuan else 0 end
                )
            ),
            -- A pension or a fund account paid into goes on. A member whose row is missing this once still eats.
            {{ yuan(
                'cast(sequence.assured_income_yuan as double) / greatest(sequence.counted_member_count, '
                ~ 'coalesce(sequence.before_member_count, sequence.counted_member_count))'
            ) }}
        ) as lasting_pc_yuan,
        floor_value.value as floor_yuan
    from sequence
    cross join first_month
    inner join ratio on sequence.month = ratio.month and sequence.county_code = ratio.county_code
    inner join floor_value on sequence.month = floor_value.month and sequence.county_code = floor_value.county_code
    where sequence.declared_income_pc_yuan is not null
),

final as (
    select
        month,
        'X09' as indicator,
        household_id,
        max(top_earner_key) as person_key,
        cast(null as string) as level,
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
