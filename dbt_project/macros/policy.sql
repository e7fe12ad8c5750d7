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

{#
    Several parameters in one row per month, county and kind of area: `columns` names the column of each parameter. A
    value that holds for town and country alike stands in both rows.
#}
{% macro policy_columns(columns) %}
    select
        place.month,
        place.county_code,
        area.area_type,
        {%- for parameter, column in columns.items() %}
        max(case when place.parameter = '{{ parameter }}' then place.value end) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('reference', 'parameter_month') }} as place
    inner join (values ('urban'), ('rural')) as area (area_type)
        on place.dimension_key in ('', area.area_type)
    where place.parameter in ('{{ columns.keys() | join("', '") }}')
    group by place.month, place.county_code, area.area_type
{% endmacro %}
