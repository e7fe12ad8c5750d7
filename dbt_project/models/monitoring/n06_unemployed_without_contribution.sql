with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where is_unemployed
),

contribution as (
    select
        person_key,
        contribution_month,
        min(known_month) as known_month
    from {{ ref('person_contribution') }}
    where status = '1'
    group by person_key, contribution_month
),

pension as (
    select
        person_key,
        pension_month,
        min(known_month) as known_month
    from {{ ref('person_pension') }}
    group by person_key, pension_month
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

line as (
    {{ policy_parameter('n06_months_without_contribution') }}
),

-- Months in which the contributions of the county came in, counted over any number of months back.
arrival as (
    select
        month,
        county_code,
        sum(case when is_arrived then 1 else 0 end)
            over (partition by county_code order by month) as arrived_count
    from {{ ref('feed_month') }}
    where feed = 'social_insurance'
),

candidate as (
    select
        member.month,
        member.household_id,
        member.person_key,
        line.value as threshold,
        {{ months_between('unemployment.unemployed_on', 'member.month') }} as unemployed_months,
        cast({{ month_number('member.month') }} - line.value as integer) as last_month_number,
        unemployment.delivery_id,
        unemployment.row_number,
        arrival.arrived_count - coalesce(earlier.arrived_count, 0) as arrived_count
    from member
    inner join unemployment
        on member.person_key = unemployment.person_key and {{ in_force('member.month', 'unemployment') }}
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join arrival on household.month = arrival.month and household.county_code = arrival.county_code
    left join arrival as earlier
        on
            household.county_code = earlier.county_code
            and {{ month_number('earlier.month') }} = {{ month_number('household.month') }} - line.value
),

final as (
    select
        candidate.month,
        'N06' as indicator,
        candidate.household_id,
        candidate.person_key,
        cast(null as string) as level,
        max(candidate.unemployed_months) as value,
        max(candidate.threshold) as threshold,
        {{ evidence_list('candidate.delivery_id', 'candidate.row_number') }} as evidence
    from candidate
    left join contribution
        on
            candidate.person_key = contribution.person_key
            and {{ month_number('contribution.contribution_month') }} > candidate.last_month_number
            and candidate.month >= contribution.contribution_month
            -- What was paid in arrears later was not known then.
            and candidate.month >= contribution.known_month
    left join pension
        on
            candidate.person_key = pension.person_key
            and {{ month_number('pension.pension_month') }} > candidate.last_month_number
            and candidate.month >= pension.pension_month
            and candidate.month >= pension.known_month
    where
        candidate.unemployed_months >= candidate.threshold
        -- A month whose contributions never came in is no month without contribution.
        and candidate.arrived_count >= candidate.threshold
        and contribution.person_key is null
        and pension.person_key is null
    group by candidate.month, candidate.household_id, candidate.person_key
)

select * from final
