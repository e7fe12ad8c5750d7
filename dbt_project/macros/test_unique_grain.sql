{#
    Rows beyond the first of each key: the grain that a model states is one row per these columns. Of a table that is built
    month after month only what was built anew is looked at; the rest was before.
#}
{% test unique_grain(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
{%- if is_built_by_month(model) %}
{%- for column in ['month', 'valid_from'] if column in columns %}
where {{ column }} >= {{ rebuild_from() }}
{%- endfor %}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Whether this run adds months to that table instead of making it anew. #}
{% macro is_built_by_month(relation) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set nodes = graph.nodes.values() | selectattr('name', 'equalto', relation.identifier) | list -%}
        {{ return(nodes | length > 0 and nodes[0].config.materialized == 'incremental') }}
    {%- endif -%}
    {{ return(false) }}
{%- endmacro %}
