with
household as (
    select * from {{ ref('household_month') }}
    where assistance_layer <> 'none' and counted_member_count > 0
),

-- A register carried forward says nothing about this month.
named as (
    select distinct month, household_id from {{ ref('register_entry') }}
),

property as (
    select * from {{ ref('household_month_property') }}
),

limit_value as (
    select month, county_code, dimension_key, 'car_count' as rule, value
    from ({{ policy_parameter('allowed_car_count') }}) as cars
    union all
    select month, county_code, dimension_key, 'car_price' as rule, value
    from ({{ policy_parameter('car_price_limit') }}) as prices
    union all
    select month, county_code, dimension_key, 'home_count' as rule, value
    from ({{ policy_parameter('home_count_limit') }}) as homes
    union all
    select month, county_code, dimension_key, 'home_area' as rule, value
    from ({{ policy_parameter('home_area_limit_pc') }}) as areas
    union all
    select month, county_code, dimension_key, 'capital' as rule, value
    from ({{ policy_parameter('business_capital_limit') }}) as capitals
    union all
    select month, county_code, dimension_key, 'employees' as rule, value
    from ({{ policy_parameter('business_employee_limit') }}) as employees
    union all
    select month, county_code, dimension_key, 'deposit' as rule, value
    from ({{ policy_parameter('deposit_limit_pc') }}) as deposits
),

-- One row of limits per household: those with an area type only where it is the household's.
limits as (
    select
        household.month,
        household.household_id,
        max(case when rule = 'car_count' then value end) as car_count,
        max(case when rule = 'car_price' then value end) as car_price,
        max(case when rule = 'home_count' then value end) as home_count,
        max(case when rule = 'home_area' then value end) as home_area_pc,
        max(case when rule = 'capital' then value end) as capital,
        max(case when rule = 'employees' then value end) as employees,
        max(case when rule = 'deposit' then value end) as deposit_pc
    from household
    inner join named on household.month = named.month and household.household_id = named.household_id
    inner join limit_value
        on
            household.month = limit_value.month
            and household.county_code = limit_value.county_code
            and (limit_value.dimension_key = '' or limit_value.dimension_key = household.area_type)
    group by household.month, household.household_id
),

breach as (
    select
        limits.month,
        limits.household_id,
        property.counted_car_count > limits.car_count or property.highest_car_price_yuan > limits.car_price as by_car,
        property.home_count >= limits.home_count
        and property.home_area_m2 > limits.home_area_pc * household.counted_member_count as by_home,
        property.running_business_count > 0
        and (
            property.highest_business_capital_yuan > limits.capital
            or property.employee_count > limits.employees
        ) as by_business,
        property.housing_fund_balance_pc_yuan > limits.deposit_pc as by_fund,
        property.highest_car_price_yuan as car_value,
        limits.car_price as car_threshold,
        property.home_area_m2 as home_value,
        limits.home_area_pc * household.counted_member_count as home_threshold,
        property.highest_business_capital_yuan as business_value,
        limits.capital as business_threshold,
        property.housing_fund_balance_pc_yuan as fund_value,
        limits.deposit_pc as fund_threshold
    from limits
    inner join household on limits.month = household.month and limits.household_id = household.household_id
    inner join property on limits.month = property.month and limits.household_id = property.household_id
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

item as (
    select 'car' as kind, person_key, valid_from, valid_to, delivery_id, row_number
    from {{ ref('person_vehicle') }}
    where is_counted_car
    union all
    select 'home' as kind, person_key, valid_from, valid_to, delivery_id, row_number
    from {{ ref('person_property') }}
    where is_home
    union all
    select 'business' as kind, person_key, valid_from, valid_to, delivery_id, row_number
    from {{ ref('person_business') }}
    where is_running
    union all
    select 'fund' as kind, person_key, valid_from, valid_to, delivery_id, row_number
    from {{ ref('person_housing_fund') }}
    where balance_yuan > 0
),

evidence as (
    select
        breach.month,
        breach.household_id,
        min(item.person_key) as person_key,
        {{ evidence_list('item.delivery_id', 'item.row_number') }} as evidence
    from breach
    inner join member on breach.month = member.month and breach.household_id = member.household_id
    inner join item
        on
            member.person_key = item.person_key
            and {{ in_force('member.month', 'item') }}
            and (
                (breach.by_car and item.kind = 'car')
                or (breach.by_home and item.kind = 'home')
                or (breach.by_business and item.kind = 'business')
                or (breach.by_fund and item.kind = 'fund')
            )
    group by breach.month, breach.household_id
),

final as (
    select
        breach.month,
        'X04' as indicator,
        breach.household_id,
        evidence.person_key,
        cast(null as varchar) as level,
        case
            when breach.by_car then breach.car_value
            when breach.by_business then breach.business_value
            when breach.by_home then breach.home_value
            else breach.fund_value
        end as value,
        case
            when breach.by_car then breach.car_threshold
            when breach.by_business then breach.business_threshold
            when breach.by_home then breach.home_threshold
            else breach.fund_threshold
        end as threshold,
        evidence.evidence
    from breach
    inner join evidence on breach.month = evidence.month and breach.household_id = evidence.household_id
)

select * from final
