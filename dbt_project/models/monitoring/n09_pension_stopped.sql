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

-- What shows that a person is still here: the population register of a later month, another benefit for the month, a
-- treatment since, or light at home. A family that has moved away leaves nothing of this.
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

treatment as (
    select
        person_key,
        settled_month,
        known_month
    from {{ ref('person_medical_settlement') }}
),

kwh_line as (
    {{ policy_parameter('n21_kwh_line') }}
),

at_home as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

lit_home as (
    select distinct
        household.month,
        household.household_id
    from {{ ref('utility_account_month') }} as account
    inner join at_home on account.person_key = at_home.person_key and account.usage_month = at_home.month
    inner join household on at_home.month = household.month and at_home.household_id = household.household_id
    inner join kwh_line on household.month = kwh_line.month and household.county_code = kwh_line.county_code
    where account.kwh >= kwh_line.value and account.known_month <= account.usage_month
),

-- A month in which the person was paid nothing, though the pensions of the place came in.
gap as (
    select
        member.month,
        member.household_id,
        member.person_key,
        paid.pension_month,
        {{ months_between('paid.pension_month', 'member.month') }} as value,
        line.value as threshold,
        paid.evidence,
        registration.person_key is not null or benefit.person_key is not null or lit_home.household_id is not null
            as is_still_here
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
    left join lit_home on member.month = lit_home.month and member.household_id = lit_home.household_id
    where feed.is_arrived
),

treated as (
    select distinct
        gap.month,
        gap.person_key
    from gap
    inner join treatment
        on
            gap.person_key = treatment.person_key
            and gap.pension_month < treatment.settled_month
            and gap.month >= treatment.settled_month
            and gap.month >= treatment.known_month
),

final as (
    select
        gap.month,
        'N09' as indicator,
        gap.household_id,
        gap.person_key,
        cast(null as string) as level,
        gap.value,
        gap.threshold,
        gap.evidence
    from gap
    left join treated on gap.month = treated.month and gap.person_key = treated.person_key
    where
        -- More than that many months: a single month missing may be a row in quarantine, and is often paid the next.
        gap.value > gap.threshold
        and (gap.is_still_here or treated.person_key is not null)
)

select * from final
