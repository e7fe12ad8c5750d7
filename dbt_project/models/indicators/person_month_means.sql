with
taxed as (
    select * from {{ ref('person_taxed_income') }}
),

contribution as (
    select * from {{ ref('person_contribution') }}
    -- Resident pension insurance (2) and contributions without an employer say nothing about a wage.
    where
        status = '1'
        and insurance <> '2'
        and employer_uscc is not null
),

pension as (
    select * from {{ ref('person_pension') }}
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where
        is_unemployed
        and monthly_benefit_yuan > 0
),

payment as (
    select * from {{ ref('person_payment') }}
    -- Temporary aid is told by its own feed too; there it is counted.
    where is_paid and benefit <> 'LS'
),

grant_made as (
    select * from {{ ref('person_temporary_assistance') }}
),

settlement as (
    select * from {{ ref('person_medical_settlement') }}
),

school as (
    select * from {{ ref('person_school') }}
    where status = '1'
),

disaster as (
    select * from {{ ref('person_disaster') }}
    where loss_yuan is not null
),

property as (
    select * from {{ ref('person_property') }}
    where status <> '2'
),

vehicle as (
    select * from {{ ref('person_vehicle') }}
    where status <> '2'
),

business as (
    select * from {{ ref('person_business') }}
    where is_running
),

housing_fund as (
    select * from {{ ref('person_housing_fund') }}
    -- A sealed account is still the family's money, a closed one (3) holds nothing.
    where coalesce(status, '1') <> '3' and balance_yuan is not null
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

place as (
    select * from {{ ref('household_month') }}
),

deduction as (
    {{ policy_parameter('work_cost_deduction_ratio') }}
),

city_deduction as (
    {{ city_policy('work_cost_deduction_ratio') }}
),

exemption as (
    {{ city_policy('benefit_exemption') }}
),

declared as (
    select
        income_month as month,
        person_key,
        case income_type
            when '1' then 'wage'
            when '2' then 'labour_service'
            when '3' then 'business'
            when '4' then 'property'
            when '5' then 'property'
            else 'other'
        end as item,
        'income_tax' as feed,
        amount_yuan,
        known_month,
        delivery_id,
        row_number
    from taxed
),

-- Where the tax office knows of no wage, the contribution base stands for it; several insurances have one base.
insured as (
    select
        contribution.contribution_month as month,
        contribution.person_key,
        'wage' as item,
        'social_insurance' as feed,
        contribution.base_yuan as amount_yuan,
        contribution.known_month,
        contribution.delivery_id,
        contribution.row_number
    from contribution
    left join taxed
        on
            contribution.person_key = taxed.person_key
            and contribution.contribution_month = taxed.income_month
            and taxed.income_type = '1'
    where taxed.person_key is null
    qualify
        row_number() over (
            partition by contribution.person_key, contribution.contribution_month
            order by contribution.base_yuan desc, contribution.insurance
        ) = 1
),

retired as (
    select
        pension_month as month,
        person_key,
        'pension' as item,
        'pension_payment' as feed,
        amount_yuan,
        known_month,
        delivery_id,
        row_number
    from pension
),

jobless as (
    select
        month.month,
        unemployment.person_key,
        'unemployment_benefit' as item,
        'unemployment_register' as feed,
        unemployment.monthly_benefit_yuan as amount_yuan,
        month.month as known_month,
        unemployment.delivery_id,
        unemployment.row_number
    from unemployment
    inner join month
        on
            {{ in_force('month.month', 'unemployment') }}
            and unemployment.unemployed_on <= month.month_end
),

found as (
    select * from declared
    union all
    select * from insured
    union all
    select * from retired
    union all
    select * from jobless
),

-- What is earned by work counts without the cost of working; the place of living then says how much that is.
income as (
    select
        found.month,
        found.person_key,
        'income' as kind,
        found.item,
        found.feed,
        found.month as data_month,
        '' as item_no,
        found.amount_yuan as gross_yuan,
        {{ yuan("case
            when found.item in ('wage', 'labour_service')
                then found.amount_yuan * (1 - coalesce(deduction.value, city_deduction.value, 0))
            else found.amount_yuan
        end") }} as counted_yuan,
        case when found.item in ('wage', 'labour_service') then 'work_cost' end as reason,
        found.known_month,
        found.delivery_id,
        found.row_number
    from found
    left join member
        on
            found.month = member.month
            and found.person_key = member.person_key
    left join place
        on
            member.month = place.month
            and member.household_id = place.household_id
    left join deduction
        on
            place.month = deduction.month
            and place.county_code = deduction.county_code
    left join city_deduction
        on found.month = city_deduction.month
),

paid as (
    select
        payment.known_month as month,
        payment.person_key,
        case when exemption.value_text is null then 'income' else 'exempt' end as kind,
        coalesce(exemption.value_text, 'benefit') as item,
        'assistance_payment' as feed,
        payment.benefit_month as data_month,
        payment.benefit as item_no,
        payment.amount_yuan as gross_yuan,
        case when exemption.value_text is null then payment.amount_yuan else 0 end as counted_yuan,
        exemption.value_text as reason,
        payment.known_month,
        payment.delivery_id,
        payment.row_number
    from payment
    left join exemption
        on
            payment.known_month = exemption.month
            and payment.benefit = exemption.dimension_key
),

granted as (
    select
        grant_made.known_month as month,
        grant_made.person_key,
        'exempt' as kind,
        'aid' as item,
        'temporary_assistance' as feed,
        {{ month_of('grant_made.approved_on') }} as data_month,
        'LS' as item_no,
        grant_made.amount_yuan as gross_yuan,
        0 as counted_yuan,
        'aid' as reason,
        grant_made.known_month,
        grant_made.delivery_id,
        grant_made.row_number
    from grant_made
),

-- Schools say who is aided, not with how much.
scholarship as (
    select
        month.month,
        school.person_key,
        'exempt' as kind,
        'scholarship' as item,
        'student_register' as feed,
        school.valid_from as data_month,
        '' as item_no,
        cast(null as decimal(14, 2)) as gross_yuan,
        0 as counted_yuan,
        'scholarship' as reason,
        month.month as known_month,
        school.delivery_id,
        school.row_number
    from school
    inner join month
        on {{ in_force('month.month', 'school') }}
    where school.is_aided
),

treated as (
    select
        settled_month as month,
        person_key,
        'spending' as kind,
        'medical' as item,
        'medical_settlement' as feed,
        {{ month_of('settled_on') }} as data_month,
        settlement_no as item_no,
        out_of_pocket_yuan as gross_yuan,
        out_of_pocket_yuan as counted_yuan,
        cast(null as string) as reason,
        known_month,
        delivery_id,
        row_number
    from settlement
    where out_of_pocket_yuan <> 0
),

-- A twelfth of the year's tuition falls on each month in school; the year's stands as the gross amount.
taught as (
    select
        month.month,
        school.person_key,
        'spending' as kind,
        'tuition' as item,
        'student_register' as feed,
        school.valid_from as data_month,
        '' as item_no,
        school.annual_tuition_yuan as gross_yuan,
        {{ yuan('cast(school.annual_tuition_yuan as double) / 12') }} as counted_yuan,
        'yearly' as reason,
        month.month as known_month,
        school.delivery_id,
        school.row_number
    from school
    inner join month
        on {{ in_force('month.month', 'school') }}
    where school.annual_tuition_yuan > 0
),

-- A loss counts in the month it became known; one report names one household through its head.
struck as (
    select
        known_month as month,
        person_key,
        'spending' as kind,
        'disaster_loss' as item,
        'disaster_event' as feed,
        {{ month_of('occurred_on') }} as data_month,
        report_no as item_no,
        loss_yuan as gross_yuan,
        loss_yuan as counted_yuan,
        cast(null as string) as reason,
        known_month,
        delivery_id,
        row_number
    from disaster
),

owned as (
    select
        person_key,
        case when is_home then 'home' else 'other_real_estate' end as item,
        'property_register' as feed,
        unit_no as item_no,
        cast(null as decimal(14, 2)) as amount_yuan,
        {{ as_decimal('cast(area_m2 * coalesce(share_percent, 100) as double) / 100', 18, 4) }} as area_m2,
        cast(null as integer) as employee_count,
        is_home as does_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from property
    union all
    select
        person_key,
        'car' as item,
        'vehicle_register' as feed,
        plate_no as item_no,
        price_yuan as amount_yuan,
        cast(null as decimal(18, 4)) as area_m2,
        cast(null as integer) as employee_count,
        is_counted_car as does_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from vehicle
    union all
    select
        person_key,
        'enterprise' as item,
        'business_register' as feed,
        uscc as item_no,
        registered_capital_yuan as amount_yuan,
        cast(null as decimal(18, 4)) as area_m2,
        employee_count,
        true as does_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from business
    union all
    select
        person_key,
        'deposit' as item,
        'housing_fund' as feed,
        person_key as item_no,
        balance_yuan as amount_yuan,
        cast(null as decimal(18, 4)) as area_m2,
        cast(null as integer) as employee_count,
        true as does_count,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from housing_fund
),

holding as (
    select
        month.month,
        owned.person_key,
        'property' as kind,
        owned.item,
        owned.feed,
        owned.valid_from as data_month,
        owned.item_no,
        owned.amount_yuan as gross_yuan,
        case when owned.does_count then owned.amount_yuan else 0 end as counted_yuan,
        case
            when owned.does_count then null
            when owned.item = 'car' then 'free_vehicle'
            else 'no_home'
        end as reason,
        month.month as known_month,
        owned.delivery_id,
        owned.row_number,
        owned.area_m2,
        owned.employee_count
    from owned
    inner join month
        on {{ in_force('month.month', 'owned') }}
),

flow as (
    select * from income
    union all
    select * from paid
    union all
    select * from granted
    union all
    select * from scholarship
    union all
    select * from treated
    union all
    select * from taught
    union all
    select * from struck
),

told as (
    select
        flow.*,
        cast(null as decimal(18, 4)) as area_m2,
        cast(null as integer) as employee_count
    from flow
    union all
    select * from holding
),

final as (
    select
        month,
        person_key,
        kind,
        item,
        feed,
        data_month,
        item_no,
        gross_yuan,
        {{ yuan('counted_yuan') }} as counted_yuan,
        area_m2,
        employee_count,
        reason,
        known_month,
        delivery_id,
        row_number
    from told
)

select * from final
