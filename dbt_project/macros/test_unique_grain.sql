{#
    Two tests of data, each one look at the table. Of what is built month after month only what was built anew is looked
    at; the rest was before.
#}

{# The grain that a model states: one row for each value of `columns`; `filled` are the columns that are never empty. #}
{% test unique_grain(model, columns, filled=[]) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
    {%- for column in filled if column not in columns %},
    count({{ column }}) as {{ column }}_count
    {%- endfor %}
from {{ model }}
{{ built_anew(model, columns) }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in filled %}
    or {{ column ~ ' is null' if column in columns else 'count(' ~ column ~ ') < count(*)' }}
    {%- endfor %}
{% endtest %}

{# Columns that are never empty, for what has no grain of its own. #}
{% test filled(model, columns) %}
select
    {{ columns | join(', ') }}
from {{ model }}
{{ built_anew(model, ['valid_from'] if model.schema == 'staging' else []) }}
{{ 'and' if model.schema == 'staging' and is_built_by_month(model) else 'where' }} (
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {%- endfor %}
)
{% endtest %}

{# The condition on what was built anew, for a table whose rows have one of those columns. #}
{% macro built_anew(relation, columns) -%}
    {%- if is_built_by_month(relation) -%}
        {%- for column in ['month', 'valid_from'] if column in columns %}
{{ 'where' if loop.first else 'and' }} {{ column }} >= {{ rebuild_from() }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# Whether this run adds months to that table instead of making it anew; views of the lake gain deliveries. #}
{% macro is_built_by_month(relation) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set nodes = graph.nodes.values() | selectattr('name', 'equalto', relation.identifier) | list -%}
        {{ return(nodes | length > 0 and (
            nodes[0].config.materialized == 'incremental' or nodes[0].fqn[1] == 'staging'
        )) }}
    {%- endif -%}
    {{ return(false) }}
{%- endmacro %}
