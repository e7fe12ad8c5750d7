{%- set rules = [
    'n01_medical_spending', 'n02_hospital_stay', 'n03_medical_to_income', 'n04_tuition', 'n05_rigid_spending',
    'n06_unemployed_without_contribution', 'n07_sole_earner_unemployed', 'n08_income_drop', 'n09_pension_stopped',
    'n10_main_earner_died', 'n11_severe_disability', 'n12_child_without_care', 'n13_main_earner_detained',
    'n14_register_household_changed', 'n15_disaster', 'n16_report_unanswered', 'n17_relapse_risk_unassisted',
    'n19_disability_allowance_unpaid', 'n20_allowance_unpaid', 'n21_elder_alone_no_electricity',
    'n22_school_dropout', 'n23_single_person_dibao', 'n30_model_score',
    'x01_dead_still_paid', 'x02_detained_still_paid', 'x03_moved_away_still_paid', 'x04_property_over_limit',
    'x05_income_over_line', 'x06_double_benefit', 'x07_certificate_ended', 'x08_review_overdue',
    'x09_income_undeclared', 'x10_register_payment_mismatch'
] -%}
with
found as (
    {% for rule in rules %}
    select
        month,
        indicator,
        household_id,
        person_key,
        level,
        {{ as_decimal('value', 18, 4) }} as value,
        cast(threshold as decimal(18, 4)) as threshold,
        evidence
    from {{ ref(rule) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

catalogue as (
    select
        indicator,
        side,
        default_level
    from {{ source('reference', 'indicator') }}
),

household as (
    select
        month,
        household_id,
        counted_member_count
    from {{ ref('household_month') }}
),

run_month as (
    select month from {{ ref('run_month') }}
),

final as (
    select
        found.month,
        found.indicator,
        catalogue.side,
        coalesce(found.level, catalogue.default_level) as level,
        found.household_id,
        found.person_key,
        found.value,
        found.threshold,
        found.evidence
    from found
    inner join catalogue on found.indicator = catalogue.indicator
    inner join run_month on found.month = run_month.month
    left join household on found.month = household.month and found.household_id = household.household_id
    -- Where nobody is left, there is nobody in need.
    where catalogue.side = 'exit' or household.counted_member_count > 0
)

select * from final
