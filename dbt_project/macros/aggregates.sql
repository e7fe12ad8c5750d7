{# Aggregates that engines spell differently. #}

{# The value of one column on the row where another is highest. #}
{% macro value_at_max(value, ordering) -%}
    {{ adapter.dispatch('value_at_max')(value, ordering) }}
{%- endmacro %}

{% macro default__value_at_max(value, ordering) -%}
    arg_max({{ value }}, {{ ordering }})
{%- endmacro %}

{% macro spark__value_at_max(value, ordering) -%}
    max_by({{ value }}, {{ ordering }})
{%- endmacro %}

{# Distinct texts in alphabetical order, separated by commas; an aggregate. #}
{% macro text_list(expression) -%}
    {{ adapter.dispatch('text_list')(expression) }}
{%- endmacro %}

{% macro default__text_list(expression) -%}
    string_agg(distinct {{ expression }}, ',' order by {{ expression }})
{%- endmacro %}

{% macro spark__text_list(expression) -%}
    array_join(sort_array(collect_set({{ expression }})), ',')
{%- endmacro %}

{% macro try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{# Amounts are summed as decimals; a sum widens the type, a contract wants it narrow again. #}
{% macro yuan(expression) -%}
    cast({{ expression }} as decimal(14, 2))
{%- endmacro %}
