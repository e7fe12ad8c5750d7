{# Months are dates, the first day of the month. Engines differ in month arithmetic, so it is written only here. #}

{% macro add_months(date, count) -%}
    {{ adapter.dispatch('add_months')(date, count) }}
{%- endmacro %}

{% macro default__add_months(date, count) -%}
    cast({{ date }} + interval ({{ count }}) month as date)
{%- endmacro %}

{% macro spark__add_months(date, count) -%}
    add_months({{ date }}, {{ count }})
{%- endmacro %}

{# Year times twelve plus month: the distance of two months is the difference. #}
{% macro month_number(date) -%}
    cast(extract(year from {{ date }}) * 12 + extract(month from {{ date }}) as integer)
{%- endmacro %}

{% macro months_between(earlier, later) -%}
    ({{ month_number(later) }} - {{ month_number(earlier) }})
{%- endmacro %}

{% macro month_of(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}

{# Completed years of age on a day. #}
{% macro age_years(born_on, day) -%}
    cast(
        extract(year from {{ day }}) - extract(year from {{ born_on }})
        - case
            when
                extract(month from {{ day }}) * 100 + extract(day from {{ day }})
                < extract(month from {{ born_on }}) * 100 + extract(day from {{ born_on }})
                then 1
            else 0
        end as integer
    )
{%- endmacro %}

{# One row per month from first to last, both included, as column `month`. #}
{% macro month_series(first, last, relation) -%}
    {{ adapter.dispatch('month_series')(first, last, relation) }}
{%- endmacro %}

{% macro default__month_series(first, last, relation) -%}
    select cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 month)) as date) as month
    from {{ relation }}
{%- endmacro %}

{% macro spark__month_series(first, last, relation) -%}
    select explode(sequence({{ first }}, {{ last }}, interval 1 month)) as month
    from {{ relation }}
{%- endmacro %}

{# Validity is half open everywhere: from this month, until before that one. #}
{% macro in_force(month, alias) -%}
    {{ month }} >= {{ alias }}.valid_from and {{ month }} < {{ alias }}.valid_to
{%- endmacro %}

{# Days from one day to a later one. #}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between')(earlier, later) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}
