with
-- The family that the certificate names, those who do not count left out.
member as (
    select * from {{ ref('register_entry') }}
    where is_counted
),

item as (
    select
        'car' as kind,
        plate_no as item_no,
        person_key,
        coalesce(price_yuan, 0) as amount,
        0 as employee_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('person_vehicle') }}
    where is_counted_car
    union all
    select
        'home' as kind,
        unit_no as item_no,
        person_key,
        area_m2 * coalesce(share_percent, 100) / 100 as amount,
        0 as employee_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('person_property') }}
    where is_home
    union all
    select
        'business' as kind,
        uscc as item_no,
        person_key,
        coalesce(registered_capital_yuan, 0) as amount,
        employee_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('person_business') }}
    where is_running
    union all
    select
        'fund' as kind,
        person_key as item_no,
        person_key,
        balance_yuan as amount,
        0 as employee_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from {{ ref('person_housing_fund') }}
    -- A sealed account is still the family's money, a closed one is not.
    where balance_yuan > 0 and coalesce(status, '1') <> '3'
),

family as (
    select
        month,
        certificate_no,
        county_code,
        area_type,
        coalesce(max(case when is_applicant then household_id end), max(household_id)) as household_id,
        count(distinct person_key) as head_count
    from member
    group by month, certificate_no, county_code, area_type
),

-- Homes and deposits are added up, of cars and businesses the dearest counts.
holding as (
    select
        member.month,
        member.certificate_no,
        item.kind,
        count(distinct item.item_no) as item_count,
        case when item.kind in ('home', 'fund') then sum(item.amount) else max(item.amount) end as amount,
        max(item.employee_count) as employee_count,
        {{ value_at_max('item.person_key', 'item.amount') }} as person_key,
        {{ evidence_list('item.delivery_id', 'item.row_number') }} as evidence
    from member
    inner join item on member.person_key = item.person_key and {{ in_force('member.month', 'item') }}
    group by member.month, member.certificate_no, item.kind
),

car_count as (
    {{ policy_parameter('allowed_car_count') }}
),

car_price as (
    {{ policy_parameter('car_price_limit') }}
),

home_count as (
    {{ policy_parameter('home_count_limit') }}
),

home_area as (
    {{ policy_parameter('home_area_limit_pc') }}
),

capital as (
    {{ policy_parameter('business_capital_limit') }}
),

employees as (
    {{ policy_parameter('business_employee_limit') }}
),

deposit as (
    {{ policy_parameter('deposit_limit_pc') }}
),

compared as (
    select
        family.month,
        family.household_id,
        holding.person_key,
        holding.evidence,
        holding.amount as value,
        case
            when holding.kind = 'car' then car_price.value
            when holding.kind = 'home' then home_area.value * family.head_count
            when holding.kind = 'business' then capital.value
            else deposit.value * family.head_count
        end as threshold,
        case
            when holding.kind = 'car'
                then holding.item_count > car_count.value or holding.amount > car_price.value
            when holding.kind = 'home'
                then
                    holding.item_count >= home_count.value
                    and holding.amount > home_area.value * family.head_count
            when holding.kind = 'business'
                then holding.amount > capital.value or holding.employee_count > employees.value
            else holding.amount > deposit.value * family.head_count
        end as is_over,
        case holding.kind when 'car' then 1 when 'business' then 2 when 'home' then 3 else 4 end as rank
    from family
    inner join holding on family.month = holding.month and family.certificate_no = holding.certificate_no
    inner join car_count on family.month = car_count.month and family.county_code = car_count.county_code
    inner join car_price on family.month = car_price.month and family.county_code = car_price.county_code
    inner join home_count on family.month = home_count.month and family.county_code = home_count.county_code
    inner join home_area
        on
            family.month = home_area.month
            and family.county_code = home_area.county_code
            and family.area_type = home_area.dimension_key
    inner join capital on family.month = capital.month and family.county_code = capital.county_code
    inner join employees on family.month = employees.month and family.county_code = employees.county_code
    inner join deposit
        on
            family.month = deposit.month
            and family.county_code = deposit.county_code
            and family.area_type = deposit.dimension_key
),

-- One row per household, with the figures of the breach that is easiest to prove.
final as (
    select
        month,
        'X04' as indicator,
        household_id,
        {{ value_at_max('person_key', '-rank') }} as person_key,
        cast(null as varchar) as level,
        {{ value_at_max('value', '-rank') }} as value,
        {{ value_at_max('threshold', '-rank') }} as threshold,
        {{ evidence_union('evidence') }} as evidence
    from compared
    where is_over
    group by month, household_id
)

select * from final
