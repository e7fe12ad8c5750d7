{# Words of alerts: what a visit is worth, and the conditions of what a household may be entitled to. #}

{#
    What a visit is worth: the money at stake in a month, as often as the alert has stood, by the chance that a visit
    confirms it. So what waits longer rises among its like, and no alert waits for ever.
#}
{% macro expected_benefit(amount, least_amount, chance, months) -%}
    greatest(coalesce({{ amount }}, 0), {{ least_amount }}) * {{ chance }} * {{ months }}
{%- endmacro %}

{# A condition that the data meet: its word, the value found and the line. #}
{% macro condition(word, value='null', line='null') -%}
    {{ adapter.dispatch('condition')(word, value, line) }}
{%- endmacro %}

{% macro default__condition(word, value, line) -%}
    struct_pack(
        condition := '{{ word }}',
        value := cast({{ value }} as decimal(18, 4)),
        line := cast({{ line }} as decimal(18, 4))
    )
{%- endmacro %}

{% macro spark__condition(word, value, line) -%}
    named_struct(
        'condition', '{{ word }}',
        'value', {{ as_decimal(value, 18, 4) }},
        'line', {{ as_decimal(line, 18, 4) }}
    )
{%- endmacro %}

{% macro list_of(items) -%}
    {{ adapter.dispatch('list_of')(items) }}
{%- endmacro %}

{% macro default__list_of(items) -%}
    list_value({{ items | join(', ') }})
{%- endmacro %}

{% macro spark__list_of(items) -%}
    array({{ items | join(', ') }})
{%- endmacro %}

{# A list with one more item at its end where a condition holds. #}
{% macro list_with(list, item, condition) -%}
    {{ adapter.dispatch('list_with')(list, item, condition) }}
{%- endmacro %}

{% macro default__list_with(list, item, condition) -%}
    case when {{ condition }} then list_append({{ list }}, {{ item }}) else {{ list }} end
{%- endmacro %}

{% macro spark__list_with(list, item, condition) -%}
    case when {{ condition }} then array_append(coalesce({{ list }}, array()), {{ item }}) else {{ list }} end
{%- endmacro %}

{# One row for each item of a list, as a column of a select. #}
{% macro unnested(list) -%}
    {{ adapter.dispatch('unnested')(list) }}
{%- endmacro %}

{% macro default__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__unnested(list) -%}
    explode({{ list }})
{%- endmacro %}

{# Alerts with the weight of their heaviest reason; `reasons` is alert_reason. #}
{% macro weighed_alerts(reasons) -%}
    select
        alert_id,
        month,
        side,
        household_id,
        max(weight) as weight,
        min(alert_first_month) as first_month
    from {{ reasons }}
    group by alert_id, month, side, household_id
{%- endmacro %}

{# How heavy the household's reasons were up to the month (a column of `told`) in which something was said of an alert:
   `told` and `alert` are names of CTEs, the first with the keys of the second. #}
{% macro weight_until(told, alert, told_month) -%}
    select
        {{ told }}.alert_id,
        {{ told }}.month,
        max({{ alert }}.weight) as weight
    from {{ told }}
    inner join {{ alert }}
        on
            {{ told }}.household_id = {{ alert }}.household_id
            and {{ told }}.side = {{ alert }}.side
            and {{ told }}.{{ told_month }} >= {{ alert }}.month
    group by {{ told }}.alert_id, {{ told }}.month
{%- endmacro %}
