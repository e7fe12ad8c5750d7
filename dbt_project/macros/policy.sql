{#
    A policy parameter, resolved for every county and month: (month, county_code, dimension_key, value, value_text).
    To be joined on month and county_code. Numbers of policy are nowhere else in SQL.
#}
{% macro policy_parameter(parameter) -%}
    select
        month,
        county_code,
        dimension_key,
        value,
        value_text
    from {{ source('reference', 'parameter_month') }}
    where parameter = '{{ parameter }}'
{%- endmacro %}

{#
    The same without a place, for facts about persons that no place is tied to (what counts as seriously disabled):
    the value of the first county, which is that of the city unless a county sets its own.
#}
{% macro city_policy(parameter) -%}
    select
        month,
        dimension_key,
        value,
        value_text
    from {{ source('reference', 'parameter_month') }}
    where
        parameter = '{{ parameter }}'
        and county_code = (select min(county_code) from {{ source('reference', 'parameter_month') }})
{%- endmacro %}
