with
request as (
    select * from {{ ref('check_request') }}
    where is_answered
),

member as (
    select * from {{ ref('check_request_member') }}
    where is_asked
),

household as (
    select * from {{ ref('household_month') }}
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

purpose as (
    {{ city_policy('check_purpose_layer') }}
),

family as (
    select
        request.month,
        request.request_no as family_id,
        member.person_key,
        member.is_counted,
        request.county_code,
        request.area_type
    from request
    inner join member
        on
            request.month = member.month
            and request.request_no = member.request_no
),

means as (
    {{ family_means('family') }}
),

register as (
    select
        request.month,
        request.request_no as family_id,
        request.register_layer,
        certificate.monthly_amount_yuan as register_amount_yuan,
        certificate.approved_on,
        household.is_relapse_risk,
        false as is_found_in_hardship
    from request
    inner join household
        on
            request.month = household.month
            and request.household_id = household.household_id
    left join certificate
        on
            household.month = certificate.month
            and household.certificate_no = certificate.certificate_no
),

judged as (
    {{ family_layer('family', 'means', 'register') }}
),

asked as (
    select
        request.month,
        request.request_no,
        request.member_count > request.known_member_count as has_unknown_member,
        case
            when purpose.value_text is not null then purpose.value_text
            -- A review asks whether what the register says still holds.
            when request.purpose = '6' and request.register_layer <> 'none' then request.register_layer
        end as asked_layer
    from request
    left join purpose
        on
            request.month = purpose.month
            and request.purpose = purpose.dimension_key
),

final as (
    select
        asked.month,
        asked.request_no,
        asked.asked_layer,
        coalesce(judged.rule_layer, 'unknown') as rule_layer,
        coalesce(judged.rule_reason, 'place_unknown') as rule_reason,
        case
            when coalesce(judged.rule_layer, 'unknown') = 'unknown' then 'cannot_be_said'
            when asked.asked_layer is null then 'layer_only'
            when {{ layer_rank('judged.rule_layer') }} <= {{ layer_rank('asked.asked_layer') }} then 'meets'
            when judged.rule_layer = 'none' then 'meets_none'
            else 'meets_other'
        end as verdict,
        -- With a source that did not come, or somebody whom no source knows, the finding may still change.
        asked.has_unknown_member
        or coalesce(judged.missing_sources, '') <> ''
        or not coalesce(means.is_property_complete, false) as is_provisional,
        judged.counted_member_count,
        judged.is_income_known,
        means.income_observed_count,
        means.gross_income_yuan,
        means.work_cost_deduction_yuan,
        {{ yuan('means.income_yuan') }} as income_yuan,
        judged.income_pc_yuan,
        judged.line_yuan,
        judged.dibao_standard_yuan,
        judged.marginal_line_yuan,
        judged.amount_due_yuan,
        judged.care_due_yuan,
        judged.single_person_key,
        judged.single_person_reason,
        judged.single_amount_yuan,
        judged.is_helpless,
        judged.has_able_supporter,
        means.income_12m_yuan,
        means.medical_12m_yuan,
        means.tuition_12m_yuan,
        means.disaster_loss_12m_yuan,
        means.rigid_spending_12m_yuan,
        means.rigid_spending_ratio,
        means.home_count,
        means.home_area_m2,
        means.home_area_limit_m2,
        means.car_count,
        means.highest_car_price_yuan,
        means.business_count,
        means.highest_capital_yuan,
        means.deposit_pc_yuan,
        means.deposit_limit_pc_yuan,
        judged.is_within_property_limit,
        judged.broken_limits,
        means.is_property_complete,
        judged.missing_sources
    from asked
    left join judged
        on
            asked.month = judged.month
            and asked.request_no = judged.family_id
    left join means
        on
            asked.month = means.month
            and asked.request_no = means.family_id
)

select * from final
