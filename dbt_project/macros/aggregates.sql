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
    max_by(
        {{ value }},
        case
            when ({{ ordering }}) is not null and ({{ value }}) is not null
                then struct(
                    {{ ordering }}
                    {%- for tie in ties -%}, ({{ tie }}) is null, {{ tie }}{%- endfor -%}
                )
        end
    )
{%- endmacro %}

{# The last value told, empty cells aside; a window function, its window follows. #}
{% macro last_told(column) -%}
    {{ adapter.dispatch('last_told')(column) }}
{%- endmacro %}

{% macro default__last_told(column) -%}
    last_value({{ column }} ignore nulls)
{%- endmacro %}

{% macro spark__last_told(column) -%}
    last_value({{ column }}) ignore nulls
{%- endmacro %}

{# Distinct texts in alphabetical order, separated by commas; an aggregate. #}
{% macro text_list(expression) -%}
    {{ adapter.dispatch('text_list')(expression) }}
{%- endmacro %}

{% macro default__text_list(expression) -%}
    string_agg(distinct {{ expression }}, ',' order by {{ expression }})
{%- endmacro %}

{% macro spark__text_list(expression) -%}
    case when count({{ expression }}) > 0 then array_join(sort_array(collect_set({{ expression }})), ',') end
{%- endmacro %}

{% macro try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{# Amounts are summed as decimals; a sum widens the type, a contract wants it narrow again. #}
{% macro yuan(expression) -%}
    {{ as_decimal(expression, 14, 2) }}
{%- endmacro %}

{#
    A number with so many digits, so many of them behind the point. Of a double the nearest one, half away from zero, as
    that double times a power of ten says: 1.005 is a little less than it looks.
#}
{% macro as_decimal(expression, digits, decimals) -%}
    {{ adapter.dispatch('as_decimal')(expression, digits, decimals) }}
{%- endmacro %}

{% macro default__as_decimal(expression, digits, decimals) -%}
    cast({{ expression }} as decimal({{ digits }}, {{ decimals }}))
{%- endmacro %}

{# Spark rounds a double as it is written. What type an expression has is known before a row is read. #}
{% macro spark__as_decimal(expression, digits, decimals) -%}
    case
        when typeof({{ expression }}) = 'double'
            then cast(
                cast(round(cast({{ expression }} as double) * {{ 10 ** decimals }}) as decimal({{ digits }}, 0))
                * {{ '%.*f' | format(decimals, 10 ** -decimals) }} as decimal({{ digits }}, {{ decimals }})
            )
        else cast({{ expression }} as decimal({{ digits }}, {{ decimals }}))
    end
{%- endmacro %}

{# The mean of amounts over a window, as a double. #}
{% macro mean_over(expression, window) -%}
    {{ adapter.dispatch('mean_over')(expression, window) }}
{%- endmacro %}

{% macro default__mean_over(expression, window) -%}
    avg({{ expression }}) over {{ window }}
{%- endmacro %}

{# Spark's mean of decimals is a decimal of few digits; with those types the quotient has 17 behind the point. #}
{% macro spark__mean_over(expression, window) -%}
    cast(
        cast(sum({{ expression }}) over {{ window }} as decimal(24, 6))
        / cast(nullif(count({{ expression }}) over {{ window }}, 0) as decimal(10, 0)) as double
    )
{%- endmacro %}

{# A sum of doubles that does not depend on the order of its rows; an aggregate. #}
{% macro sum_of_ratio(expression) -%}
    cast(sum({{ as_decimal(expression, 18, 6) }}) as double)
{%- endmacro %}
