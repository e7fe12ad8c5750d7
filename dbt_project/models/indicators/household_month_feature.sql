{%- set feeds = {
    'has_medical': 'medical_settlement',
    'has_pension': 'pension_payment',
    'has_insurance': 'social_insurance',
    'has_unemployment': 'unemployment_register',
    'has_school': 'student_register',
    'has_disability': 'disability_register',
    'has_custody': 'custody_record',
    'has_rural': 'rural_monitoring',
    'has_child': 'child_register',
    'has_elder': 'elder_register',
    'has_vehicle': 'vehicle_register',
    'has_property': 'property_register',
    'has_business': 'business_register',
    'has_fund': 'housing_fund',
    'has_visit': 'visit_outcome',
    'has_check': 'check_request',
} -%}

with
households as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

{% for name in [
    'income', 'spending', 'property', 'composition', 'aid', 'occurrence', 'take_up', 'history',
    'ability', 'trend', 'contact', 'utility', 'kin', 'village',
] -%}
{{ name }} as (
    select * from {{ ref('household_month_' ~ name) }}
),

{% endfor -%}

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
        {%- for flag, feed in feeds.items() %}
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
        take_up.is_on_assistance,
        take_up.months_since_assistance,
        case when take_up.has_assistance_12m then 1 else 0 end as left_register_12m_count,
        households.is_relapse_risk,
        households.counted_member_count as member_count,
        cast(standard.value as double) as standard_yuan,
        cast(standard.value * households.counted_member_count as double) as household_standard_yuan,
        cast(medical_line.value as double) as medical_line_yuan,
        cast(township_capacity.village_count * worker_capacity.value * worker_count.value as integer)
            as visit_capacity_count,
        cast(income.income_yuan as double) as income_yuan,
        cast(income.income_pc_yuan as double) as income_pc_yuan,
        cast(income.income_3m_mean_yuan as double) as income_3m_mean_yuan,
        cast(income.income_12m_yuan as double) as income_12m_yuan,
        nullif(income.observed_12m_count, 0) as observed_12m_count,
        income.income_to_prior_ratio,
        income.is_complete as is_income_complete,
        income.earner_count,
        income.prior_earner_count,
        {{ how_many([
            'income.wage_yuan', 'income.pension_yuan', 'income.business_yuan', 'income.property_income_yuan',
            'income.unemployment_benefit_yuan', 'income.other_income_yuan',
        ]) }} as income_source_count,
        cast(spending.out_of_pocket_12m_yuan as double) as out_of_pocket_12m_yuan,
        nullif(spending.observed_12m_count, 0) as spending_observed_12m_count,
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
        composition.preschool_count,
        composition.working_age_count,
        composition.elder_80_count,
        composition.student_count,
        composition.elder_count,
        composition.disabled_count,
        composition.severely_disabled_count,
        composition.unemployed_count,
        composition.contributing_count,
        composition.pensioner_count,
        composition.detained_count,
        composition.death_12m_count,
        aid.temporary_12m_count,
        {{ how_many(['aid.disability_paid_yuan', 'aid.child_paid_yuan', 'aid.old_age_paid_yuan']) }} as allowance_count,
        occurrence.months_since_unemployed,
        occurrence.months_since_disability,
        occurrence.college_student_count,
        occurrence.child_concern_count,
        occurrence.elder_concern_count,
        occurrence.kwh,
        cast(occurrence.arrears_yuan as double) as arrears_yuan
    from households
    {{ with_household_months('households', ['income', 'spending', 'property', 'composition', 'aid', 'occurrence']) }}
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
    inner join take_up
        on households.month = take_up.month and households.household_id = take_up.household_id
),

known as (
    select
        joined.*,
        {%- for name, columns in {
            'history': [
                'income_6m_mean_yuan', 'income_6m_spread_yuan', 'pensioner_before_count',
                'contributing_before_count', 'out_of_pocket_3m_yuan', 'highest_stay_12m_yuan',
                'inpatient_12m_count', 'chronic_12m_count', 'member_before_count', 'divorce_12m_count',
                'disaster_12m_count', 'house_damage_12m_level', 'report_12m_count', 'kwh_before',
                'months_since_income', 'months_since_inpatient', 'months_since_death', 'months_since_report',
                'months_since_temporary_aid',
            ],
            'trend': [
                'income_12m_standard_ratio', 'income_3m_12m_ratio', 'income_spread_standard_ratio',
                'below_standard_12m_count', 'below_marginal_12m_count', 'earner_lost_12m_count',
                'contributor_lost_12m_count', 'property_lost_12m_count', 'over_limit_count',
                'medical_3m_12m_ratio', 'inpatient_3m_count', 'member_change_12m_count', 'months_since_formed',
                'months_since_member_change', 'months_since_earner_lost', 'months_since_contributor_lost',
                'months_since_divorce', 'months_since_over_limit',
            ],
            'ability': [
                'able_count', 'ill_working_age_count', 'patient_count', 'severe_working_age_count',
                'disability_level', 'senior_student_count', 'left_school_count', 'low_pension_elder_count',
            ],
            'contact': [
                'visit_12m_count', 'visit_hardship_12m_count', 'visit_unentitled_12m_count',
                'report_answered_12m_count', 'other_check_12m_count', 'months_since_visit',
                'months_since_refusal',
            ],
            'utility': [
                'kwh_peer_3m_ratio', 'kwh_peer_12m_ratio', 'kwh_peer_change_ratio', 'arrears_12m_count',
                'months_since_reading',
            ],
            'kin': [
                'kin_household_count', 'child_household_count', 'kin_assisted_count', 'kin_entry_12m_count',
                'kin_over_limit_count', 'child_income_standard_ratio', 'child_kwh_peer_ratio',
            ],
            'village': [
                'village_assisted_share', 'village_entry_share', 'village_report_share',
            ],
        }.items() %}
        {%- for column in columns %}
        {{ name }}.{{ column }},
        {%- endfor %}
        {%- endfor %}
        {{ qualified('feed_month', feeds.keys()) }}
    from joined
    inner join feed_month on joined.month = feed_month.month and joined.county_code = feed_month.county_code
    {{ with_household_months(
        'joined', ['history', 'trend', 'ability', 'contact', 'utility', 'kin', 'village']
    ) }}
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
        {{ feature_columns([
            'income_source_count', 'earner_count',
        ], 'is_income_complete') }},
        cast(months_since_income as double) as months_since_income,
        case when has_pension then cast(pensioner_count as double) end as pensioner_count,
        income_12m_standard_ratio,
        case when is_income_complete then member_count - income_yuan / standard_yuan end as income_gap_standard_ratio,
        case
            when is_income_complete and over_limit_count is not null
                then (1 - over_limit_count) * greatest(member_count - income_yuan / standard_yuan, 0)
        end as entitled_gap_standard_ratio,
        {{ feature_columns([
            'below_standard_12m_count', 'below_marginal_12m_count',
        ]) }},
        case when has_pension then cast(low_pension_elder_count as double) end as low_pension_elder_count,
        case when has_disability and has_school and has_medical then cast(able_count as double) end as able_count,
        case
            when has_disability and has_school and has_medical then cast(able_count as double) / member_count
        end as able_share,
        case
            when has_disability and has_school and has_medical and has_insurance
                then cast(greatest(able_count - contributing_count, 0) as double)
        end as able_uninsured_count,
        -- income_drop
        case when is_income_complete then income_to_prior_ratio end as income_change_ratio,
        income_3m_mean_yuan / nullif(income_12m_yuan / observed_12m_count, 0) as income_trend_ratio,
        income_6m_spread_yuan / nullif(income_6m_mean_yuan, 0) as income_volatility_ratio,
        case
            when has_pension then cast(greatest(pensioner_before_count - pensioner_count, 0) as double)
        end as pension_stopped_count,
        income_3m_12m_ratio,
        income_spread_standard_ratio,
        {{ feature_columns([
            'earner_lost_12m_count', 'months_since_earner_lost',
        ]) }},
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
        case when has_insurance then cast(contributor_lost_12m_count as double) end as contributor_lost_12m_count,
        cast(months_since_contributor_lost as double) as months_since_contributor_lost,
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
        cast(months_since_inpatient as double) as months_since_inpatient,
        cast(chronic_12m_count as double) as chronic_12m_count,
        case when has_medical then medical_3m_12m_ratio end as medical_3m_12m_ratio,
        {{ feature_columns([
            'inpatient_3m_count', 'patient_count', 'ill_working_age_count',
        ], 'has_medical') }},
        -- rigid_spending
        rigid_12m_yuan / (income_12m_yuan + household_standard_yuan * observed_12m_count) as rigid_income_ratio,
        case when has_school then tuition_yuan / 12 / household_standard_yuan end as tuition_standard_ratio,
        {{ feature_columns([
            'college_student_count', 'student_count', 'senior_student_count', 'left_school_count',
        ], 'has_school') }},
        -- household
        cast(member_count as double) as member_count,
        cast(minor_count as double) as child_count,
        cast(elder_count as double) as elder_count,
        cast(minor_count + elder_count as double) / member_count as dependant_share,
        cast(member_count - member_before_count as double) as member_change_6m_count,
        {{ feature_columns([
            'divorce_12m_count', 'preschool_count', 'working_age_count', 'elder_80_count',
            'member_change_12m_count', 'months_since_member_change', 'months_since_formed',
            'months_since_divorce',
        ]) }},
        -- bereavement
        cast(death_12m_count as double) as death_12m_count,
        cast(months_since_death as double) as months_since_death,
        -- disability
        case when has_disability then cast(disabled_count as double) end as disabled_count,
        case when has_disability then cast(severely_disabled_count as double) end as severe_disabled_count,
        cast(months_since_disability as double) as months_since_disability,
        {{ feature_columns([
            'disability_level', 'severe_working_age_count',
        ], 'has_disability') }},
        -- custody
        case when has_custody then cast(detained_count as double) end as custody_count,
        -- disaster
        cast(disaster_12m_count as double) as disaster_12m_count,
        disaster_loss_12m_yuan / household_standard_yuan as disaster_loss_standard_ratio,
        cast(house_damage_12m_level as double) as house_damage_level,
        -- report
        cast(report_12m_count as double) as report_12m_count,
        cast(months_since_report as double) as months_since_report,
        case when has_rural then cast(case when is_relapse_risk then 1 else 0 end as double) end as relapse_risk_count,
        case when has_child then cast(child_concern_count as double) end as child_concern_count,
        case when has_elder then cast(elder_concern_count as double) end as elder_concern_count,
        {{ feature_columns([
            'report_answered_12m_count', 'visit_12m_count', 'visit_hardship_12m_count',
            'visit_unentitled_12m_count',
        ], 'has_visit') }},
        cast(months_since_visit as double) as months_since_visit,
        -- earlier_aid
        cast(temporary_12m_count as double) as temporary_aid_12m_count,
        cast(months_since_temporary_aid as double) as months_since_temporary_aid,
        {{ feature_columns([
            'left_register_12m_count', 'allowance_count', 'months_since_assistance',
        ]) }},
        {{ feature_columns([
            'months_since_refusal', 'other_check_12m_count',
        ], 'has_check') }},
        -- property
        case when has_vehicle then cast(counted_car_count as double) end as car_count,
        case
            when has_vehicle then coalesce(highest_car_price_yuan, 0) / 12 / household_standard_yuan
        end as car_value_standard_ratio,
        case when has_property then cast(home_count as double) end as home_count,
        case when has_property then coalesce(home_area_m2, 0) / member_count end as home_area_pc,
        case when has_business then cast(running_business_count as double) end as business_count,
        case when has_fund then coalesce(fund_balance_pc_yuan, 0) / standard_yuan end as fund_balance_standard_ratio,
        {{ feature_columns([
            'over_limit_count', 'property_lost_12m_count', 'months_since_over_limit',
        ]) }},
        -- utility
        kwh / member_count as kwh_pc,
        kwh / nullif(kwh_before, 0) as kwh_change_ratio,
        arrears_yuan,
        kwh_peer_3m_ratio,
        kwh_peer_12m_ratio,
        kwh_peer_change_ratio,
        cast(arrears_12m_count as double) as arrears_12m_count,
        -- neighbourhood
        village_assisted_share,
        village_entry_share,
        village_report_share,
        -- kin
        cast(coalesce(kin_household_count, 0) as double) as kin_household_count,
        cast(coalesce(child_household_count, 0) as double) as child_household_count,
        cast(coalesce(kin_assisted_count, 0) as double) as kin_assisted_count,
        cast(coalesce(kin_entry_12m_count, 0) as double) as kin_entry_12m_count,
        cast(coalesce(kin_over_limit_count, 0) as double) as kin_over_limit_count,
        child_income_standard_ratio,
        child_kwh_peer_ratio,
        -- coverage
        cast(
            case when months_since_income is not null then 1 else 0 end
            + case when months_since_reading is not null then 1 else 0 end
            + {{ how_many([
                'pensioner_count', 'contributing_count', 'out_of_pocket_12m_yuan', 'student_count',
                'disabled_count', 'unemployed_count', 'home_count', 'counted_car_count', 'running_business_count',
                'fund_balance_pc_yuan', 'report_12m_count', 'visit_12m_count',
            ]) }} as double
        ) as known_source_count,
        cast(months_since_reading as double) as months_since_reading
    from known
)

select * from final
