with
member as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

composition as (
    select
        month,
        household_id
    from {{ ref('household_month_composition') }}
    -- One counted member, who is old: nobody has moved in, and the person has not moved in with others.
    where is_lone_elder
),

account as (
    select * from {{ ref('utility_account_month') }}
),

registration as (
    select * from {{ ref('hukou_household_member') }}
),

-- The monthly register of elders hears sooner of a move than the population register: who was on it as living alone
-- and no longer is, has moved in with others.
told_alone as (
    select * from {{ ref('person_elder_register') }}
    where elder_category = '1'
),

first_told as (
    select
        person_key,
        min(valid_from) as first_month
    from told_alone
    group by person_key
),

line as (
    {{ policy_parameter('n21_kwh_line') }}
),

final as (
    select
        household.month,
        'N21' as indicator,
        household.household_id,
        member.person_key,
        cast(null as varchar) as level,
        sum(account.kwh) as value,
        max(line.value) as threshold,
        {{ evidence_list('account.delivery_id', 'account.row_number') }} as evidence
    from composition
    inner join household
        on composition.month = household.month and composition.household_id = household.household_id
    inner join member
        on household.month = member.month and household.household_id = member.household_id and member.is_counted
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join account
        on
            household.month = account.usage_month
            and member.person_key = account.person_key
            and household.month >= account.known_month
    left join registration
        on member.person_key = registration.person_key and {{ in_force('member.month', 'registration') }}
    left join first_told on member.person_key = first_told.person_key and household.month >= first_told.first_month
    left join told_alone
        on member.person_key = told_alone.person_key and {{ in_force('household.month', 'told_alone') }}
    where
        account.kwh is not null
        and (first_told.person_key is null or told_alone.person_key is not null)
        -- A meter elsewhere than where the person now lives says nothing.
        and (
            account.division_code is null
            or registration.residence_division is null
            or account.division_code = registration.residence_division
        )
    group by household.month, household.household_id, member.person_key
    having sum(account.kwh) < max(line.value)
)

select * from final
