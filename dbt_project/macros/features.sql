{# What the model's features have in common. #}

{# Columns as the model reads them: numbers, null where `told` (a condition on feeds) does not hold. Ends without a comma. #}
{% macro feature_columns(names, told=none) -%}
    {%- for name in names %}
        {% if told %}case when {{ told }} then cast({{ name }} as double) end{% else %}cast({{ name }} as double){% endif %} as {{ name }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{#
    A share of the other households of a village, drawn towards that of the township: so many households' worth of it
    are mixed in (`mixed_in.value`), and fully where the village has no other household.
#}
{% macro drawn_towards(name) -%}
    (
        surrounded.village_{{ name }}_count
        + mixed_in.value * surrounded.township_{{ name }}_count / greatest(surrounded.township_household_count, 1)
    )
    / (surrounded.village_household_count + mixed_in.value)
{%- endmacro %}

{# How many of the columns are above nought. #}
{% macro how_many(columns) -%}
    {%- for column in columns -%}
    {{ '+ ' if not loop.first }}case when {{ column }} > 0 then 1 else 0 end{{ ' ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Left joins of tables of households and months, each under the name that stands behind household_month_. #}
{% macro with_household_months(table, names) -%}
    {%- for name in names %}
    left join {{ name }}
        on
            {{ table }}.month = {{ name }}.month
            and {{ table }}.household_id = {{ name }}.household_id
    {%- endfor %}
{%- endmacro %}
