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

property as (
    select * from {{ ref('person_property') }}
    where is_home
),

vehicle as (
    select * from {{ ref('person_vehicle') }}
    where is_counted_car
),

business as (
    select * from {{ ref('person_business') }}
    where is_running
),

housing_fund as (
    select * from {{ ref('person_housing_fund') }}
    -- A closed account (3) holds nothing.
    where status <> '3'
),

home as (
    select
        member.month,
        member.household_id,
        count(distinct property.unit_no) as home_count,
        sum(property.area_m2 * coalesce(property.share_percent, 100) / 100) as home_area_m2
    from property
    inner join month
        on {{ in_force('month.month', 'property') }}
    inner join member
        on
            month.month = member.month
            and property.person_key = member.person_key
    group by member.month, member.household_id
),

car as (
    select
        member.month,
        member.household_id,
        count(*) as car_count,
        max(vehicle.price_yuan) as highest_price_yuan
    from vehicle
    inner join month
        on {{ in_force('month.month', 'vehicle') }}
    inner join member
        on
            month.month = member.month
            and vehicle.person_key = member.person_key
    group by member.month, member.household_id
),

firm as (
    select
        member.month,
        member.household_id,
        count(*) as firm_count,
        max(business.registered_capital_yuan) as highest_capital_yuan,
        sum(business.employee_count) as employee_count
    from business
    inner join month
        on {{ in_force('month.month', 'business') }}
    inner join member
        on
            month.month = member.month
            and business.person_key = member.person_key
    group by member.month, member.household_id
),

fund as (
    select
        member.month,
        member.household_id,
        sum(housing_fund.balance_yuan) as balance_yuan,
        count(*) filter (where housing_fund.is_active) as active_count,
        sum(case when housing_fund.is_active then housing_fund.monthly_deposit_yuan else 0 end) as deposit_yuan
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
        cast(coalesce(home.home_count, 0) as integer) as home_count,
        coalesce(home.home_area_m2, 0) as home_area_m2,
        cast(coalesce(car.car_count, 0) as integer) as counted_car_count,
        car.highest_price_yuan as highest_car_price_yuan,
        cast(coalesce(firm.firm_count, 0) as integer) as running_business_count,
        firm.highest_capital_yuan as highest_business_capital_yuan,
        cast(coalesce(firm.employee_count, 0) as integer) as employee_count,
        {{ yuan('coalesce(fund.balance_yuan, 0)') }} as housing_fund_balance_yuan,
        case
            when household.counted_member_count > 0
                then {{ yuan('coalesce(fund.balance_yuan, 0) / household.counted_member_count') }}
        end as housing_fund_balance_pc_yuan,
        cast(coalesce(fund.active_count, 0) as integer) as active_housing_fund_count,
        {{ yuan('coalesce(fund.deposit_yuan, 0)') }} as housing_fund_deposit_yuan
    from household
    left join home
        on
            household.month = home.month
            and household.household_id = home.household_id
    left join car
        on
            household.month = car.month
            and household.household_id = car.household_id
    left join firm
        on
            household.month = firm.month
            and household.household_id = firm.household_id
    left join fund
        on
            household.month = fund.month
            and household.household_id = fund.household_id
)

select * from final
