with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

feed as (
    select * from {{ ref('feed_month') }}
    where feed = 'pension_payment'
),

pension as (
    select
        person_key,
        pension_month,
        {{ evidence_list() }} as evidence
    from {{ ref('person_pension') }}
    group by person_key, pension_month
),

line as (
    {{ policy_parameter('n09_months_without_pension') }}
),

-- The last pension before each month, whatever its kind: a change of kind is no stop.
paid as (
    select
        *,
        lead(pension_month) over (partition by person_key order by pension_month) as next_pension_month
    from pension
),

-- What shows that a person is still here: the population register of a later month, or another benefit for the month.
registration as (
    select
        person_key,
        valid_from as told_month,
        valid_from,
        valid_to
    from {{ ref('hukou_household_member') }}
    where status = '1'
),

benefit as (
    select distinct
        person_key,
        benefit_month
    from {{ ref('person_payment') }}
),

-- A month in which the person was paid nothing, though the pensions of the place came in.
gap as (
    select
        member.month,
        member.household_id,
        member.person_key,
        {{ months_between('paid.pension_month', 'member.month') }} as value,
        line.value as threshold,
        paid.evidence
    from paid
    inner join member
        on
            paid.person_key = member.person_key
            and paid.pension_month < member.month
            and (paid.next_pension_month is null or paid.next_pension_month > member.month)
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join feed on household.month = feed.month and household.county_code = feed.county_code
    inner join line on household.month = line.month and household.county_code = line.county_code
    left join registration
        on
            member.person_key = registration.person_key
            and {{ in_force('member.month', 'registration') }}
            and paid.pension_month < registration.told_month
    left join benefit on member.person_key = benefit.person_key and member.month = benefit.benefit_month
    where feed.is_arrived and (registration.person_key is not null or benefit.person_key is not null)
),

final as (
    select
        month,
        'N09' as indicator,
        household_id,
        person_key,
        cast(null as varchar) as level,
        value,
        threshold,
        evidence
    from gap
    -- More than that many months: a single month missing may be a row in quarantine, and is often paid the next.
    where value > threshold
)

select * from final
