{%- set tables = {
    'register_household_month': ref('register_household_month'),
    'register_person_month': ref('register_person_month'),
    'resident_month': ref('resident_month'),
    'rule_layer_month': ref('rule_layer_month'),
    'paid_person_month': ref('paid_person_month'),
    'assistance_grant_month': ref('assistance_grant_month'),
    'alert_stand_month': ref('alert_stand_month'),
    'alert_reason_place': ref('alert_reason_place'),
    'visit_month': ref('visit_month'),
    'check_request_month': ref('check_request_month'),
    'elder_place_month': ref('elder_place_month'),
    'child_place_month': ref('child_place_month'),
} -%}
with
counted as (
    {%- for table, relation in tables.items() %}
    {{ counted_figures(table, relation) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        figure,
        month,
        village_code,
        layer,
        dimension,
        value
    from counted
    where value <> 0
)

select * from final
