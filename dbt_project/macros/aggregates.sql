{# Aggregates that engines spell differently. #}

{#
    The value of one column on the row where another is highest. Of several such rows the one with the highest value is
    taken, or with the highest `ties`, where several values must come from one row: chance must not choose.
#}
{% macro value_at_max(value, ordering, ties=none) -%}
    {{ adapter.dispatch('value_at_max')(value, ordering, ties or [value]) }}
{%- endmacro %}

{% macro default__value_at_max(value, ordering, ties) -%}
    arg_max({{ value }}, case when {{ ordering }} is not null then row({{ ordering }}, {{ ties | join(', ') }}) end)
{%- endmacro %}

{% macro spark__value_at_max(value, ordering, ties) -%}
    max_by({{ value }}, case when {{ ordering }} is not null then struct({{ ordering }}, {{ ties | join(', ') }}) end)
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

{# A sum of doubles that does not depend on the order of its rows; an aggregate. #}
{% macro sum_of_ratio(expression) -%}
    cast(sum(cast({{ expression }} as decimal(18, 6))) as double)
{%- endmacro %}
