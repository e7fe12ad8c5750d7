{#
    Who is believed where sources differ (models/policy/precedence.yaml): (source, rank) for one attribute. The lowest
    rank counts; a source that is not listed comes after all that are.
#}
{% macro source_rank(attribute) -%}
    select
        source,
        rank
    from {{ source('reference', 'source_precedence') }}
    where attribute = '{{ attribute }}'
{%- endmacro %}
