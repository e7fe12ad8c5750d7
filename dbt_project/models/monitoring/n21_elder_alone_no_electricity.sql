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

-- In an institution nobody expects the light to burn at home.
in_care as (
    select distinct
        month,
        person_key
    from {{ ref('benefit_member_month') }}
    where care_mode = '1'
),

line as (
    {{ policy_parameter('n21_kwh_line') }}
),

low as (
    select
        household.month,
        'N21' as indicator,
        household.household_id,
        member.person_key,
        cast(null as string) as level,
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
    left join in_care on member.month = in_care.month and member.person_key = in_care.person_key
    left join registration
        on member.person_key = registration.person_key and {{ in_force('member.month', 'registration') }}
    left join first_told on member.person_key = first_told.person_key and household.month >= first_told.first_month
    left join told_alone
        on member.person_key = told_alone.person_key and {{ in_force('household.month', 'told_alone') }}
    where
        account.kwh is not null
        and in_care.person_key is null
        and (first_told.person_key is null or told_alone.person_key is not null)
        -- A meter elsewhere than where the person now lives says nothing.
        and (
            account.division_code is null
            or registration.residence_division is null
            or account.division_code = registration.residence_division
        )
    group by household.month, household.household_id, member.person_key
    having sum(account.kwh) < max(line.value)
),

-- A meter of the month before that this month does not tell of (a row in quarantine, a cell that could not be read):
-- what is left may be the meter of a pump or of an empty house.
untold_meter as (
    select distinct
        low.month,
        low.person_key
    from low
    inner join account as before
        on low.person_key = before.person_key and before.usage_month = {{ add_months('low.month', -1) }}
    left join account as now
        on
            before.account_no = now.account_no
            and before.person_key = now.person_key
            and low.month = now.usage_month
            and low.month >= now.known_month
            and now.kwh is not null
    where now.account_no is null
),

-- Others of the same hukou who live in the same place: a grown-up student counts with the parents, but the grandparent
-- with whom the register says he lives is not alone.
companion as (
    select distinct
        low.month,
        low.person_key
    from low
    inner join registration as own
        on low.person_key = own.person_key and {{ in_force('low.month', 'own') }}
    inner join registration as other
        on
            own.hukou_key = other.hukou_key
            and coalesce(own.residence_division, own.registered_division)
            = coalesce(other.residence_division, other.registered_division)
            and own.person_key <> other.person_key
            and {{ in_force('low.month', 'other') }}
    inner join member on low.month = member.month and other.person_key = member.person_key and member.is_counted
    where other.status = '1'
),

final as (
    select low.*
    from low
    left join untold_meter on low.month = untold_meter.month and low.person_key = untold_meter.person_key
    left join companion on low.month = companion.month and low.person_key = companion.person_key
    where untold_meter.person_key is null and companion.person_key is null
)

select * from final
