{#
    The layer of a family by rule (layers of low-income population, in order of precedence), for families of any kind.

    `family` is as for `family_means`, `means` what that gave for it, `register` says what the family is on the register
    as: (family_id, month, register_layer, register_amount_yuan, approved_on, is_relapse_risk, is_found_in_hardship).
    A layer is what the rules say of what was found; people decide.
#}

{# Lines and amounts that layers are measured by: month, county_code, area_type, one column each. #}
{% macro layer_line() %}
    {%- set lines = {
        'dibao_standard': 'dibao_yuan',
        'marginal_line': 'marginal_yuan',
        'destitute_standard': 'destitute_yuan',
        'disposable_income_pc': 'disposable_yuan',
        'rigid_spending_share': 'rigid_ratio',
        'amount_rounding_unit': 'rounding_yuan',
        'phase_out_ratio': 'phase_out_ratio',
        'phase_out_months': 'phase_out_months',
        'rigid_recognition_months': 'rigid_months',
    } -%}
    {{ policy_columns(lines) }}
{% endmacro %}

{# One row per month and family: layer by rule with its reasons, line and amount due. #}
{% macro family_layer(family, means, register) %}
    with
    layer_line as (
        {{ layer_line() }}
    ),

    layer_majority as (
        {{ city_policy('majority_age') }}
    ),

    layer_old_age as (
        {{ city_policy('old_age') }}
    ),

    layer_illness as (
        {{ policy_parameter('n01_medical_line') }}
    ),

    layer_single_open as (
        {{ policy_parameter('single_person_layers') }}
    ),

    layer_nursing as (
        {{ policy_parameter('nursing_fee') }}
    ),

    layer_ability as (
        {{ city_policy('ability_self_care') }}
    ),

    layer_means as (
        select
            means.*,
            line.dibao_yuan,
            line.marginal_yuan,
            line.destitute_yuan,
            line.disposable_yuan,
            line.rigid_ratio,
            line.rounding_yuan,
            line.phase_out_ratio,
            line.phase_out_months,
            line.rigid_months,
            means.counted_member_count > 0 and means.is_income_known as is_measured
        from {{ means }} as means
        inner join layer_line as line
            on
                means.month = line.month
                and means.county_code = line.county_code
                and means.area_type = line.area_type
    ),

    -- Persons matter only where income and property leave a layer open that asks for them.
    layer_member as (
        select distinct
            family.month,
            family.family_id,
            family.person_key
        from {{ family }} as family
        inner join layer_means
            on
                family.month = layer_means.month
                and family.family_id = layer_means.family_id
        where
            family.is_counted
            and layer_means.is_measured
            and layer_means.is_within_property_limit
            and layer_means.income_yuan < layer_means.marginal_yuan * layer_means.counted_member_count
    ),

    layer_condition as (
        {{ person_condition('layer_member') }}
    ),

    layer_helpless as (
        select
            layer_condition.month,
            layer_condition.family_id,
            bool_and(
                coalesce(
                    layer_condition.age_years >= layer_old_age.value
                    or layer_condition.age_years < layer_majority.value,
                    false
                )
                or layer_condition.is_severely_disabled
            ) as is_helpless
        from layer_condition
        inner join layer_majority
            on layer_condition.month = layer_majority.month
        inner join layer_old_age
            on layer_condition.month = layer_old_age.month
        group by layer_condition.month, layer_condition.family_id
    ),

    layer_dependent as (
        select
            layer_member.month,
            layer_member.family_id,
            layer_member.person_key,
            layer_means.county_code
        from layer_member
        inner join layer_helpless
            on
                layer_member.month = layer_helpless.month
                and layer_member.family_id = layer_helpless.family_id
                and layer_helpless.is_helpless
        inner join layer_means
            on
                layer_member.month = layer_means.month
                and layer_member.family_id = layer_means.family_id
                and layer_means.income_yuan <= layer_means.dibao_yuan * layer_means.counted_member_count
    ),

    layer_supporter as (
        {{ able_supporter('layer_dependent') }}
    ),

    -- Whose self-care was assessed: a step of its own, since what it costs by level is joined to few rows then.
    layer_assessed as {{ step() }} (
        select
            layer_dependent.*,
            elder.ability_level
        from layer_dependent
        inner join {{ ref('person_elder_register') }} as elder
            on
                layer_dependent.person_key = elder.person_key
                and {{ in_force('layer_dependent.month', 'elder') }}
    ),

    -- Care by self-care where an assessment is known; nobody needs less help than the worst of several says.
    layer_care as (
        select
            layer_assessed.month,
            layer_assessed.family_id,
            layer_assessed.person_key,
            max(nursing.value) as care_yuan
        from layer_assessed
        inner join layer_ability as ability
            on
                layer_assessed.month = ability.month
                and layer_assessed.ability_level = ability.dimension_key
        inner join layer_nursing as nursing
            on
                layer_assessed.month = nursing.month
                and layer_assessed.county_code = nursing.county_code
                and ability.value_text = nursing.dimension_key
        group by layer_assessed.month, layer_assessed.family_id, layer_assessed.person_key
    ),

    layer_care_sum as (
        select
            month,
            family_id,
            sum(care_yuan) as care_yuan
        from layer_care
        group by month, family_id
    ),

    -- Seriously disabled or ill members of a family on the edge may have dibao alone; the gravest comes first.
    layer_single as (
        select
            layer_condition.month,
            layer_condition.family_id,
            layer_condition.person_key,
            coalesce(income.income_mean_yuan, 0) as own_income_yuan,
            case when layer_condition.is_severely_disabled then 'disability' else 'illness' end as single_reason,
            cast(
                count(*) over (partition by layer_condition.month, layer_condition.family_id) as integer
            ) as single_count
        from layer_condition
        inner join layer_means
            on
                layer_condition.month = layer_means.month
                and layer_condition.family_id = layer_means.family_id
                and layer_means.income_yuan >= layer_means.dibao_yuan * layer_means.counted_member_count
        inner join layer_illness as illness
            on
                layer_condition.month = illness.month
                and layer_means.county_code = illness.county_code
                and illness.dimension_key = 'marginal'
        inner join layer_single_open as open_layer
            on
                layer_condition.month = open_layer.month
                and layer_means.county_code = open_layer.county_code
                and open_layer.dimension_key = 'marginal'
                and open_layer.value > 0
        left join {{ ref('person_month_income_window') }} as income
            on
                layer_condition.month = income.month
                and layer_condition.person_key = income.person_key
        where
            layer_condition.is_severely_disabled
            or layer_condition.medical_12m_yuan > illness.value
        qualify
            row_number() over (
                partition by layer_condition.month, layer_condition.family_id
                order by
                    coalesce(layer_condition.severe_grade, 9),
                    layer_condition.medical_12m_yuan desc,
                    layer_condition.person_key
            ) = 1
    ),

    layer_judged as (
        select
            layer_means.*,
            coalesce(register.register_layer, 'none') as register_layer,
            register.register_amount_yuan,
            coalesce(layer_helpless.is_helpless, false) as is_helpless,
            layer_supporter.family_id is not null as has_able_supporter,
            layer_supporter.evidence as supporter_evidence,
            layer_care_sum.care_yuan,
            layer_single.person_key as single_key,
            layer_single.single_reason,
            layer_single.single_count,
            layer_single.own_income_yuan,
            case
                when layer_means.counted_member_count = 0 then 'none'
                -- Property over the limit decides whatever the income is.
                when not layer_means.is_within_property_limit then 'over'
                when not layer_means.is_measured then 'unknown'
                when
                    layer_helpless.is_helpless
                    and layer_supporter.family_id is null
                    and layer_means.income_yuan <= layer_means.dibao_yuan * layer_means.counted_member_count
                    then 'destitute'
                when layer_means.income_yuan < layer_means.dibao_yuan * layer_means.counted_member_count then 'dibao'
                when layer_means.income_yuan < layer_means.marginal_yuan * layer_means.counted_member_count
                    then 'marginal'
                when
                    layer_means.income_yuan * 12 < layer_means.disposable_yuan * layer_means.counted_member_count
                    and layer_means.rigid_spending_12m_yuan >= layer_means.rigid_ratio * layer_means.rigid_base_yuan
                    and layer_means.rigid_spending_12m_yuan > 0
                    then 'rigid_expenditure'
                when
                    register.register_layer = 'rigid_expenditure'
                    and {{ months_between('register.approved_on', 'layer_means.month') }} < layer_means.rigid_months
                    and layer_means.income_yuan * 12 < layer_means.disposable_yuan * layer_means.counted_member_count
                    then 'recognised'
                else 'above'
            end as verdict,
            coalesce(register.is_relapse_risk, false) as is_relapse_risk,
            coalesce(register.is_found_in_hardship, false) as is_found_in_hardship
        from layer_means
        left join {{ register }} as register
            on
                layer_means.month = register.month
                and layer_means.family_id = register.family_id
        left join layer_helpless
            on
                layer_means.month = layer_helpless.month
                and layer_means.family_id = layer_helpless.family_id
        left join layer_supporter
            on
                layer_means.month = layer_supporter.month
                and layer_means.family_id = layer_supporter.family_id
        left join layer_care_sum
            on
                layer_means.month = layer_care_sum.month
                and layer_means.family_id = layer_care_sum.family_id
        left join layer_single
            on
                layer_means.month = layer_single.month
                and layer_means.family_id = layer_single.family_id
    ),

    layer_named as (
        select
            *,
            case
                when verdict in ('destitute', 'dibao', 'marginal', 'rigid_expenditure') then verdict
                when verdict = 'recognised' then 'rigid_expenditure'
                when is_relapse_risk then 'relapse_risk'
                when is_found_in_hardship then 'other_hardship'
                when verdict = 'unknown' then 'unknown'
                else 'none'
            end as rule_layer,
            case
                when verdict = 'destitute' and income_yuan = 0 then 'helpless_no_income_found'
                when verdict = 'destitute' then 'helpless_without_supporter'
                when verdict = 'dibao' and income_yuan = 0 then 'no_income_found'
                when verdict = 'dibao' and is_helpless and has_able_supporter then 'below_dibao_with_supporter'
                when verdict = 'dibao' then 'below_dibao'
                when verdict = 'marginal' then 'below_marginal'
                when verdict = 'rigid_expenditure' then 'rigid_spending'
                when verdict = 'recognised' then 'rigid_recognised'
                when is_relapse_risk then 'rural_monitoring'
                when is_found_in_hardship then 'found_by_visit'
                when verdict = 'unknown' then 'income_unknown'
                when verdict = 'over' then 'property_over_limit'
                when counted_member_count = 0 then 'nobody_counts'
                else 'income_above_lines'
            end as rule_reason
        from layer_judged
    )

    select
        month,
        family_id,
        county_code,
        area_type,
        counted_member_count,
        register_layer,
        rule_layer,
        rule_reason,
        income_yuan,
        income_pc_yuan,
        {{ yuan("case
            when rule_layer = 'destitute' then dibao_yuan
            when rule_layer = 'dibao' then dibao_yuan
            when rule_layer = 'marginal' then marginal_yuan
            when rule_layer = 'rigid_expenditure' then cast(disposable_yuan as double) / 12
            else marginal_yuan
        end") }} as line_yuan,
        {{ yuan('dibao_yuan') }} as dibao_standard_yuan,
        {{ yuan('marginal_yuan') }} as marginal_line_yuan,
        is_income_known,
        is_within_property_limit,
        broken_limits,
        is_helpless,
        has_able_supporter,
        rigid_spending_ratio,
        {{ yuan("case rule_layer
            when 'destitute' then destitute_yuan * counted_member_count + coalesce(care_yuan, 0)
            when 'dibao' then ceil(cast(dibao_yuan * counted_member_count - income_yuan as double) / rounding_yuan) * rounding_yuan
            when 'unknown' then null
            else 0
        end") }} as amount_due_yuan,
        {{ yuan("case when rule_layer = 'destitute' then coalesce(care_yuan, 0) end") }} as care_due_yuan,
        case when rule_layer = 'marginal' then single_key end as single_person_key,
        case when rule_layer = 'marginal' then single_reason end as single_person_reason,
        case when rule_layer = 'marginal' then coalesce(single_count, 0) else 0 end as single_person_count,
        {{ yuan("case
            when rule_layer = 'marginal' and single_key is not null
                then ceil(cast(greatest(dibao_yuan - own_income_yuan, 0) as double) / rounding_yuan) * rounding_yuan
        end") }} as single_amount_yuan,
        register_layer in ('dibao', 'destitute')
        and is_measured
        and income_yuan >= dibao_yuan * counted_member_count
        and income_yuan < dibao_yuan * phase_out_ratio * counted_member_count as is_income_in_phase_out,
        is_measured and income_yuan < dibao_yuan * counted_member_count as is_below_dibao,
        register_amount_yuan,
        cast(phase_out_months as integer) as phase_out_months,
        missing_sources,
        supporter_evidence
    from layer_named
{% endmacro %}
