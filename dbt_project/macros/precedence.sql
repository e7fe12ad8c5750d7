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

{# Whether the first of two sources is believed where both speak of the attribute: one row, `is_first`. #}
{% macro is_believed_before(attribute, first, second) -%}
    select
        coalesce(max(case when source = '{{ first }}' then rank end), 99)
        <= coalesce(max(case when source = '{{ second }}' then rank end), 99) as is_first
    from ({{ source_rank(attribute) }}) as believed
{%- endmacro %}

{# One side ('a' or 'b') of a contradiction: which source says what, and in which row. #}
{% macro told_by(side, source, said, relation) -%}
    {{ source }} as source_{{ side }},
        {{ said }} as class_{{ side }},
        {{ relation }}.delivery_id as delivery_{{ side }},
        {{ relation }}.row_number as row_{{ side }}
{%- endmacro %}
