with
-- Households with an alert of the need side; nobody else is looked at.
alerted as (
    select distinct
        month,
        household_id
    from {{ ref('alert_reason') }}
    where side = 'need' and {{ since_rebuild('month') }}
),

layer as (
    select layer_month.*
    from {{ ref('household_layer_month') }} as layer_month
    inner join alerted
        on layer_month.month = alerted.month and layer_month.household_id = alerted.household_id
),

covered as (
    select distinct
        month,
        person_key
    from {{ ref('register_entry') }}
    where layer in ('dibao', 'destitute')
),

share as (
    {{ policy_parameter('rigid_spending_share') }}
),

-- The order of precedence of the layers: only a better one than that on the register is of use.
rank as (
    select
        'destitute' as layer,
        1 as position
    union all
    select
        'dibao' as layer,
        2 as position
    union all
    select
        'marginal' as layer,
        3 as position
    union all
    select
        'rigid_expenditure' as layer,
        4 as position
),

better as (
    select
        layer.*,
        share.value as share_line
    from layer
    inner join rank as by_rule on layer.rule_layer = by_rule.layer
    left join rank as on_register on layer.register_layer = on_register.layer
    left join share on layer.month = share.month and layer.county_code = share.county_code
    where by_rule.position < coalesce(on_register.position, 9)
),

household as (
    select
        month,
        household_id,
        rule_layer as assistance,
        cast(null as string) as person_key,
        case when rule_layer in ('dibao', 'destitute') then amount_due_yuan end as amount_yuan,
        case rule_layer
            when 'destitute' then {{ list_of([
                condition('destitute_member', 'counted_member_count'),
                condition('income_at_most_standard', 'income_pc_yuan', 'dibao_standard_yuan'),
                condition('property_within'),
            ]) }}
            when 'dibao' then {{ list_of([
                condition('income_below_standard', 'income_pc_yuan', 'dibao_standard_yuan'),
                condition('property_within'),
            ]) }}
            when 'marginal' then {{ list_of([
                condition('income_below_marginal_line', 'income_pc_yuan', 'marginal_line_yuan'),
                condition('property_within'),
            ]) }}
            else {{ list_of([
                condition('income_below_disposable', 'income_pc_yuan', 'line_yuan'),
                condition('rigid_share', 'rigid_spending_ratio', 'share_line'),
                condition('property_within'),
            ]) }}
        end as conditions,
        coalesce(missing_sources, '') <> '' as is_source_missing
    from better
),

single as (
    select
        layer.month,
        layer.household_id,
        'single_person_dibao' as assistance,
        layer.single_person_key as person_key,
        layer.single_amount_yuan as amount_yuan,
        {{ list_of([condition('marginal_family'), condition('severe_disability_or_illness')]) }} as conditions,
        coalesce(layer.missing_sources, '') <> '' as is_source_missing
    from layer
    left join covered on layer.month = covered.month and layer.single_person_key = covered.person_key
    where layer.single_person_key is not null and covered.person_key is null
),

found as (
    select * from household
    union all
    select * from single
),

final as (
    select
        month,
        household_id,
        assistance,
        person_key,
        {{ yuan('amount_yuan') }} as amount_yuan,
        conditions,
        is_source_missing
    from found
)

select * from final
