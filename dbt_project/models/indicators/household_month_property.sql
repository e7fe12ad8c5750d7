with
household as (
    select * from {{ ref('household_month') }}
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

housing_fund as (
    select * from {{ ref('person_housing_fund') }}
    where is_active
),

owner as (
    select
        month,
        household_id as family_id,
        person_key
    from member
),

owned as (
    {{ family_property('owner') }}
),

-- Accounts that deposits go into: a sign of employment, not of wealth.
fund as (
    select
        member.month,
        member.household_id,
        count(*) as active_count,
        sum(housing_fund.monthly_deposit_yuan) as deposit_yuan
    from housing_fund
    inner join month
        on {{ in_force('month.month', 'housing_fund') }}
    inner join member
        on
            month.month = member.month
            and housing_fund.person_key = member.person_key
    group by member.month, member.household_id
),

final as (
    select
        household.month,
        household.household_id,
        cast(coalesce(owned.home_count, 0) as integer) as home_count,
        coalesce(cast(owned.home_area_m2 as double), 0) as home_area_m2,
        cast(coalesce(owned.car_count, 0) as integer) as counted_car_count,
        owned.highest_car_price_yuan,
        cast(coalesce(owned.business_count, 0) as integer) as running_business_count,
        owned.highest_capital_yuan as highest_business_capital_yuan,
        cast(coalesce(owned.employee_count, 0) as integer) as employee_count,
        {{ yuan('coalesce(owned.deposit_yuan, 0)') }} as housing_fund_balance_yuan,
        case
            when household.counted_member_count > 0
                then {{ yuan('cast(coalesce(owned.deposit_yuan, 0) as double) / household.counted_member_count') }}
        end as housing_fund_balance_pc_yuan,
        cast(coalesce(fund.active_count, 0) as integer) as active_housing_fund_count,
        {{ yuan('coalesce(fund.deposit_yuan, 0)') }} as housing_fund_deposit_yuan
    from household
    left join owned
        on
            household.month = owned.month
            and household.household_id = owned.family_id
    left join fund
        on
            household.month = fund.month
            and household.household_id = fund.household_id
)

select * from final
