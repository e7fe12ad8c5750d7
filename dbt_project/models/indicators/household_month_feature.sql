with
households as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', back=11) }}
),

income as (
    select * from {{ ref('household_month_income') }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
),

property as (
    select * from {{ ref('household_month_property') }}
),

composition as (
    select * from {{ ref('household_month_composition') }}
),

aid as (
    select * from {{ ref('household_month_aid') }}
),

occurrences as (
    select * from {{ ref('household_month_occurrence') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

medical_line as (
    {{ policy_parameter('n01_medical_line') }}
),

worker_capacity as (
    {{ policy_parameter('visit_capacity') }}
),

worker_count as (
    {{ policy_parameter('village_worker_count') }}
),

divisions as (
    select * from {{ source('reference', 'division') }}
),

-- Which feeds were there in the month and county: a silent feed makes its columns missing, not zero.
feed_month as (
    select
        month,
        county_code,
        {%- for flag, feed in [
            ('has_medical', 'medical_settlement'),
            ('has_pension', 'pension_payment'),
            ('has_insurance', 'social_insurance'),
            ('has_unemployment', 'unemployment_register'),
            ('has_school', 'student_register'),
            ('has_disability', 'disability_register'),
            ('has_custody', 'custody_record'),
            ('has_rural', 'rural_monitoring'),
            ('has_child', 'child_register'),
            ('has_elder', 'elder_register'),
            ('has_vehicle', 'vehicle_register'),
            ('has_property', 'property_register'),
            ('has_business', 'business_register'),
            ('has_fund', 'housing_fund'),
        ] %}
        max(case when feed = '{{ feed }}' and is_covered then 1 else 0 end) = 1 as {{ flag }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('source_month') }}
    group by month, county_code
),

township_capacity as (
    select
        township_code,
        count(*) as village_count
    from divisions
    where level = 'village'
    group by township_code
),

joined as (
    select
        households.month,
        households.household_id,
        households.village_code,
        households.township_code,
        households.county_code,
        households.area_type,
        {{ month_number('households.month') }} as month_number,
        households.assistance_layer <> 'none'
        or coalesce(aid.dibao_paid_yuan, 0) + coalesce(aid.destitute_paid_yuan, 0) > 0 as is_on_assistance,
        households.is_relapse_risk,
        households.counted_member_count as member_count,
        cast(standard.value as double) as standard_yuan,
        cast(standard.value * households.counted_member_count as double) as household_standard_yuan,
        cast(medical_line.value as double) as medical_line_yuan,
        cast(township_capacity.village_count * worker_capacity.value * worker_count.value as integer)
            as visit_capacity_count,
        cast(income.income_yuan as double) as income_yuan,
        cast(income.income_yuan * 100 as decimal(18, 0)) as income_fen,
        cast(income.income_pc_yuan as double) as income_pc_yuan,
        cast(income.income_3m_mean_yuan as double) as income_3m_mean_yuan,
        cast(income.income_12m_yuan as double) as income_12m_yuan,
        nullif(income.observed_12m_count, 0) as observed_12m_count,
        income.income_to_prior_ratio,
        income.is_complete as is_income_complete,
        income.earner_count,
        income.prior_earner_count,
        case when income.wage_yuan > 0 then 1 else 0 end
        + case when income.pension_yuan > 0 then 1 else 0 end
        + case when income.business_yuan > 0 then 1 else 0 end
        + case when income.property_income_yuan > 0 then 1 else 0 end
        + case when income.unemployment_benefit_yuan > 0 then 1 else 0 end
        + case when income.other_income_yuan > 0 then 1 else 0 end as income_source_count,
        cast(spending.out_of_pocket_yuan as double) as out_of_pocket_yuan,
        cast(spending.out_of_pocket_12m_yuan as double) as out_of_pocket_12m_yuan,
        nullif(spending.observed_12m_count, 0) as spending_observed_12m_count,
        cast(spending.highest_stay_out_of_pocket_yuan as double) as highest_stay_yuan,
        cast(spending.tuition_school_year_yuan as double) as tuition_yuan,
        cast(spending.rigid_spending_12m_yuan as double) as rigid_12m_yuan,
        cast(spending.disaster_loss_12m_yuan as double) as disaster_loss_12m_yuan,
        property.home_count,
        property.home_area_m2,
        property.counted_car_count,
        cast(property.highest_car_price_yuan as double) as highest_car_price_yuan,
        property.running_business_count,
        cast(property.housing_fund_balance_pc_yuan as double) as fund_balance_pc_yuan,
        composition.minor_count,
        composition.elder_count,
        composition.disabled_count,
        composition.severely_disabled_count,
        composition.unemployed_count,
        composition.contributing_count,
        composition.pensioner_count,
        composition.detained_count,
        composition.death_count,
        composition.death_12m_count,
        aid.temporary_12m_count,
        case when aid.temporary_paid_yuan > 0 then 1 else 0 end as temporary_count,
        case when aid.disability_paid_yuan > 0 then 1 else 0 end
        + case when aid.child_paid_yuan > 0 then 1 else 0 end
        + case when aid.old_age_paid_yuan > 0 then 1 else 0 end as allowance_count,
        occurrences.inpatient_count,
        occurrences.chronic_count,
        occurrences.divorce_count,
        occurrences.disaster_count,
        occurrences.house_damage_level,
        occurrences.report_count,
        occurrences.months_since_unemployed,
        occurrences.months_since_disability,
        occurrences.college_student_count,
        occurrences.child_concern_count,
        occurrences.elder_concern_count,
        occurrences.kwh,
        cast(occurrences.arrears_yuan as double) as arrears_yuan
    from households
    left join income
        on households.month = income.month and households.household_id = income.household_id
    left join spending
        on households.month = spending.month and households.household_id = spending.household_id
    left join property
        on households.month = property.month and households.household_id = property.household_id
    left join composition
        on households.month = composition.month and households.household_id = composition.household_id
    left join aid
        on households.month = aid.month and households.household_id = aid.household_id
    left join occurrences
        on households.month = occurrences.month and households.household_id = occurrences.household_id
    left join standard
        on
            households.month = standard.month
            and households.county_code = standard.county_code
            and households.area_type = standard.dimension_key
    left join medical_line
        on
            households.month = medical_line.month
            and households.county_code = medical_line.county_code
            and medical_line.dimension_key = 'none'
    left join worker_capacity
        on households.month = worker_capacity.month and households.county_code = worker_capacity.county_code
    left join worker_count
        on households.month = worker_count.month and households.county_code = worker_count.county_code
    left join township_capacity
        on households.township_code = township_capacity.township_code
    where households.counted_member_count > 0
),

-- All windows end with the row's own month: nothing later is ever looked at.
windowed as (
    select
        *,
        -- In whole fen: what the spread of doubles comes to depends on where a window begins.
        count(income_fen) over last_6 as income_6m_count,
        sum(income_fen) over last_6 as income_6m_fen,
        sum(income_fen * income_fen) over last_6 as income_6m_square_fen,
        max(case when income_yuan > 0 then month_number end) over so_far as newest_income,
        max(pensioner_count) over before_3 as pensioner_before_count,
        max(contributing_count) over before_6 as contributing_before_count,
        cast(sum(cast(out_of_pocket_yuan as decimal(18, 2))) over last_3 as double) as out_of_pocket_3m_yuan,
        max(highest_stay_yuan) over last_12 as highest_stay_12m_yuan,
        sum(inpatient_count) over last_12 as inpatient_12m_count,
        sum(chronic_count) over last_12 as chronic_12m_count,
        max(case when inpatient_count > 0 then month_number end) over so_far as newest_inpatient,
        first_value(member_count) over last_6 as member_before_count,
        sum(divorce_count) over last_12 as divorce_12m_count,
        max(case when death_count > 0 then month_number end) over so_far as newest_death,
        sum(disaster_count) over last_12 as disaster_12m_count,
        max(house_damage_level) over last_12 as house_damage_12m_level,
        sum(report_count) over last_12 as report_12m_count,
        max(case when report_count > 0 then month_number end) over so_far as newest_report,
        max(case when temporary_count > 0 then month_number end) over so_far as newest_temporary,
        max(case when is_on_assistance then 1 else 0 end) over last_12 as left_register_12m_count,
        cast(avg(cast(kwh as decimal(18, 6))) over before_6 as double) as kwh_before
    from joined
    window
        so_far as (partition by household_id order by month_number rows unbounded preceding),
        last_3 as (partition by household_id order by month_number range between 2 preceding and current row),
        last_6 as (partition by household_id order by month_number range between 5 preceding and current row),
        last_12 as (partition by household_id order by month_number range between 11 preceding and current row),
        before_3 as (partition by household_id order by month_number range between 3 preceding and 1 preceding),
        before_6 as (partition by household_id order by month_number range between 6 preceding and 1 preceding)
),

village as (
    select
        month,
        township_code,
        village_code,
        count(*) as household_count,
        sum(case when is_on_assistance then 1 else 0 end) as assisted_count
    from joined
    group by month, township_code, village_code
),

-- Small villages borrow from their township: ten households' worth of its share is mixed in.
neighbourhood as (
    select
        month,
        village_code,
        (
            assisted_count
            + 10.0 * sum(assisted_count) over (partition by month, township_code)
            / sum(household_count) over (partition by month, township_code)
        ) / (household_count + 10.0) as village_assisted_share
    from village
),

-- What is longer ago than the months read stands in the rows of before.
told_before as (
    {% if adds_months() -%}
    select
        household_id,
        max({{ month_number('month') }} - months_since_income) as last_income,
        max({{ month_number('month') }} - months_since_inpatient) as last_inpatient,
        max({{ month_number('month') }} - months_since_death) as last_death,
        max({{ month_number('month') }} - months_since_report) as last_report,
        max({{ month_number('month') }} - months_since_temporary_aid) as last_temporary
    from {{ this }}
    where month < {{ rebuild_from() }}
    group by household_id
    {%- else -%}
    select
        household_id,
        cast(null as double) as last_income,
        cast(null as double) as last_inpatient,
        cast(null as double) as last_death,
        cast(null as double) as last_report,
        cast(null as double) as last_temporary
    from households
    where false
    {%- endif %}
),

known as (
    select
        windowed.*,
        sqrt(
            cast(
                windowed.income_6m_count * windowed.income_6m_square_fen
                - windowed.income_6m_fen * windowed.income_6m_fen as double
            )
            / nullif(windowed.income_6m_count * (windowed.income_6m_count - 1), 0)
        ) / 100 as income_6m_spread_yuan,
        greatest(windowed.newest_income, told_before.last_income) as last_income,
        greatest(windowed.newest_inpatient, told_before.last_inpatient) as last_inpatient,
        greatest(windowed.newest_death, told_before.last_death) as last_death,
        greatest(windowed.newest_report, told_before.last_report) as last_report,
        greatest(windowed.newest_temporary, told_before.last_temporary) as last_temporary,
        cast(windowed.income_6m_fen as double) / nullif(windowed.income_6m_count, 0) / 100 as income_6m_mean_yuan,
        feed_month.has_medical,
        feed_month.has_pension,
        feed_month.has_insurance,
        feed_month.has_unemployment,
        feed_month.has_school,
        feed_month.has_disability,
        feed_month.has_custody,
        feed_month.has_rural,
        feed_month.has_child,
        feed_month.has_elder,
        feed_month.has_vehicle,
        feed_month.has_property,
        feed_month.has_business,
        feed_month.has_fund,
        neighbourhood.village_assisted_share
    from windowed
    inner join feed_month on windowed.month = feed_month.month and windowed.county_code = feed_month.county_code
    left join neighbourhood
        on windowed.month = neighbourhood.month and windowed.village_code = neighbourhood.village_code
    left join told_before on windowed.household_id = told_before.household_id
),

final as (
    select
        month,
        household_id,
        village_code,
        township_code,
        county_code,
        area_type,
        is_on_assistance,
        visit_capacity_count,
        -- low_income
        case when is_income_complete then income_pc_yuan / standard_yuan end as income_standard_ratio,
        income_3m_mean_yuan / household_standard_yuan as income_3m_standard_ratio,
        case when is_income_complete then cast(income_source_count as double) end as income_source_count,
        case when is_income_complete then cast(earner_count as double) end as earner_count,
        cast(month_number - last_income as double) as months_since_income,
        case when has_pension then cast(pensioner_count as double) end as pensioner_count,
        -- income_drop
        case when is_income_complete then income_to_prior_ratio end as income_change_ratio,
        income_3m_mean_yuan / nullif(income_12m_yuan / observed_12m_count, 0) as income_trend_ratio,
        income_6m_spread_yuan / nullif(income_6m_mean_yuan, 0) as income_volatility_ratio,
        case
            when has_pension then cast(greatest(pensioner_before_count - pensioner_count, 0) as double)
        end as pension_stopped_count,
        -- job_loss
        case when has_insurance then cast(contributing_count as double) end as contributor_count,
        case
            when has_insurance then cast(greatest(contributing_before_count - contributing_count, 0) as double)
        end as contribution_lapse_count,
        case when has_unemployment then cast(unemployed_count as double) end as unemployed_count,
        cast(months_since_unemployed as double) as months_since_unemployed,
        case
            when is_income_complete then cast(greatest(prior_earner_count - earner_count, 0) as double)
        end as wage_lost_count,
        -- medical_spending
        out_of_pocket_12m_yuan / spending_observed_12m_count / household_standard_yuan as medical_standard_ratio,
        case
            when has_medical then out_of_pocket_3m_yuan / 3 / household_standard_yuan
        end as medical_3m_standard_ratio,
        -- One standard is added to the income, so that no income at all is the highest burden and not a missing one.
        out_of_pocket_12m_yuan
        / (income_12m_yuan + household_standard_yuan * observed_12m_count) as medical_income_ratio,
        out_of_pocket_12m_yuan / medical_line_yuan as medical_line_ratio,
        highest_stay_12m_yuan / household_standard_yuan as largest_stay_standard_ratio,
        cast(inpatient_12m_count as double) as inpatient_12m_count,
        cast(month_number - last_inpatient as double) as months_since_inpatient,
        cast(chronic_12m_count as double) as chronic_12m_count,
        -- rigid_spending
        rigid_12m_yuan / (income_12m_yuan + household_standard_yuan * observed_12m_count) as rigid_income_ratio,
        case when has_school then tuition_yuan / 12 / household_standard_yuan end as tuition_standard_ratio,
        case when has_school then cast(college_student_count as double) end as college_student_count,
        -- household
        cast(member_count as double) as member_count,
        cast(minor_count as double) as child_count,
        cast(elder_count as double) as elder_count,
        cast(minor_count + elder_count as double) / member_count as dependant_share,
        cast(member_count - member_before_count as double) as member_change_6m_count,
        cast(divorce_12m_count as double) as divorce_12m_count,
        -- bereavement
        cast(death_12m_count as double) as death_12m_count,
        cast(month_number - last_death as double) as months_since_death,
        -- disability
        case when has_disability then cast(disabled_count as double) end as disabled_count,
        case when has_disability then cast(severely_disabled_count as double) end as severe_disabled_count,
        cast(months_since_disability as double) as months_since_disability,
        -- custody
        case when has_custody then cast(detained_count as double) end as custody_count,
        -- disaster
        cast(disaster_12m_count as double) as disaster_12m_count,
        disaster_loss_12m_yuan / household_standard_yuan as disaster_loss_standard_ratio,
        cast(house_damage_12m_level as double) as house_damage_level,
        -- report
        cast(report_12m_count as double) as report_12m_count,
        cast(month_number - last_report as double) as months_since_report,
        case when has_rural then cast(case when is_relapse_risk then 1 else 0 end as double) end as relapse_risk_count,
        case when has_child then cast(child_concern_count as double) end as child_concern_count,
        case when has_elder then cast(elder_concern_count as double) end as elder_concern_count,
        -- earlier_aid
        cast(temporary_12m_count as double) as temporary_aid_12m_count,
        cast(month_number - last_temporary as double) as months_since_temporary_aid,
        cast(left_register_12m_count as double) as left_register_12m_count,
        cast(allowance_count as double) as allowance_count,
        -- property
        case when has_vehicle then cast(counted_car_count as double) end as car_count,
        case
            when has_vehicle then coalesce(highest_car_price_yuan, 0) / 12 / household_standard_yuan
        end as car_value_standard_ratio,
        case when has_property then cast(home_count as double) end as home_count,
        case when has_property then coalesce(home_area_m2, 0) / member_count end as home_area_pc,
        case when has_business then cast(running_business_count as double) end as business_count,
        case when has_fund then coalesce(fund_balance_pc_yuan, 0) / standard_yuan end as fund_balance_standard_ratio,
        -- utility
        kwh / member_count as kwh_pc,
        kwh / nullif(kwh_before, 0) as kwh_change_ratio,
        arrears_yuan,
        -- neighbourhood
        village_assisted_share
    from known
)

select * from final
