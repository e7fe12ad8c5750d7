with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where is_unemployed
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

income as (
    select * from {{ ref('household_month_income') }}
),

line as (
    {{ policy_parameter('n07_months_since_job_loss') }}
),

-- Who in the household worked in the months before that of the loss.
worker as (
    select distinct
        month,
        household_id,
        person_key
    from {{ ref('person_month_income') }}
    where is_work and gross_yuan > 0 and household_id is not null
),

loss as (
    select distinct
        member.household_id,
        unemployment.person_key,
        {{ month_of('unemployment.unemployed_on') }} as lost_month
    from unemployment
    inner join member on unemployment.person_key = member.person_key and {{ in_force('member.month', 'unemployment') }}
),

sole as (
    select
        loss.household_id,
        loss.person_key,
        loss.lost_month
    from loss
    inner join worker
        on
            loss.household_id = worker.household_id
            and loss.lost_month > worker.month
            and worker.month >= {{ window_back('loss.lost_month', 'earner_months') }}
    group by loss.household_id, loss.person_key, loss.lost_month
    having count(distinct worker.person_key) = 1 and min(worker.person_key) = loss.person_key
),

final as (
    select
        member.month,
        'N07' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        {{ months_between('sole.lost_month', 'member.month') }} as value,
        line.value as threshold,
        {{ evidence_list('unemployment.delivery_id', 'unemployment.row_number') }} as evidence
    from sole
    inner join member on sole.household_id = member.household_id and sole.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join income on member.month = income.month and member.household_id = income.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join unemployment
        on
            member.person_key = unemployment.person_key
            and {{ in_force('member.month', 'unemployment') }}
            and {{ month_of('unemployment.unemployed_on') }} = sole.lost_month
    where
        {{ months_between('sole.lost_month', 'member.month') }} >= line.value
        -- Nobody else has taken up work, as far as the feeds of wages came in.
        and income.earner_count = 0
        and income.missing_sources not like '%income_tax%'
    group by member.month, member.household_id, member.person_key, sole.lost_month, line.value
)

select * from final
