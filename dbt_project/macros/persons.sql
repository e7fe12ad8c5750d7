{#
    The rows of a feed as the lake has them, every column of persons resolved: a key that was given out earlier and
    has since been merged (reference.person_alias), or a row that was taken away from a person whom it is not about
    (reference.person_row_alias), bears the key of today. Staging reads the lake through this macro alone, so that
    everything after it knows one key a person.

    persons  the feed's columns of person keys
    key      for a register with one row a person (and kind): the columns of that key. Where a delivery has two rows
             of a person who once had two keys, that of the surviving key counts, else the last.
#}
{% macro delivered_rows(feed, persons, key=none) -%}
    select {{ resolved_columns('delivered_row', persons) }}
    from {{ source('lake', feed) }} as delivered_row
    {%- for column in persons %}
    left join {{ source('reference', 'person_alias') }} as {{ column }}_alias
        on delivered_row.{{ column }} = {{ column }}_alias.person_key
    left join {{ source('reference', 'person_row_alias') }} as {{ column }}_row
        on
            delivered_row.delivery_id = {{ column }}_row.delivery_id
            and delivered_row.row_number = {{ column }}_row.row_number
            and {{ column }}_row.column_name = '{{ column }}'
    {%- endfor %}
    {%- if key %}
    left join ({{ rows_of_merged(feed, key) }}) as merged
        on
            delivered_row.delivery_id = merged.delivery_id
            and delivered_row.row_number = merged.row_number
    where merged.row_number is null
    {%- endif %}
{%- endmacro %}

{% macro resolved_key(relation, column) -%}
    coalesce({{ column }}_row.resolved_key, {{ column }}_alias.resolved_key, {{ relation }}.{{ column }})
{%- endmacro %}

{# All columns of a relation in their order, those of persons resolved. #}
{% macro resolved_columns(relation, persons) -%}
    {{ adapter.dispatch('resolved_columns')(relation, persons) }}
{%- endmacro %}

{% macro default__resolved_columns(relation, persons) -%}
    {{ relation }}.* replace (
        {%- for column in persons %}
        {{ resolved_key(relation, column) }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__resolved_columns(relation, persons) -%}
    {{ relation }}.* except ({{ persons | join(', ') }}),
    {%- for column in persons %}
    {{ resolved_key(relation, column) }} as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Rows that give way to another row of the same delivery, since both are now about one person. #}
{% macro rows_of_merged(feed, key) -%}
    select
        told.delivery_id,
        told.row_number
    from {{ source('lake', feed) }} as told
    inner join (
        select
            person_key,
            resolved_key
        from {{ source('reference', 'person_alias') }}
        union
        select
            resolved_key as person_key,
            resolved_key
        from {{ source('reference', 'person_alias') }}
    ) as one
        on told.person_key = one.person_key
    qualify
        row_number() over (
            partition by
                told.delivery_id,
                one.resolved_key
                {%- for column in key if column != 'person_key' %},
                told.{{ column }}
                {%- endfor %}
            order by case when one.person_key = one.resolved_key then 0 else 1 end, told.row_number desc
        ) > 1
{%- endmacro %}

{#
    One row per person of today: (person_key, born_on, sex) by the ID number. Of a merged person the surviving number
    says it; whoever has no number (rows were taken away from another person, or the deliveries that told of it were
    withdrawn) has neither.
#}
{% macro known_persons() -%}
    select
        coalesce(person_alias.resolved_key, told.person_key) as person_key,
        coalesce(
            max(case when person_alias.person_key is null then told.born_on end), max(told.born_on)
        ) as born_on,
        coalesce(max(case when person_alias.person_key is null then told.sex end), max(told.sex)) as sex
    from {{ source('reference', 'person_key') }} as told
    left join {{ source('reference', 'person_alias') }} as person_alias
        on told.person_key = person_alias.person_key
    group by coalesce(person_alias.resolved_key, told.person_key)
    union all
    select
        decided.resolved_key as person_key,
        cast(null as date) as born_on,
        cast(null as string) as sex
    from (
        select resolved_key from {{ source('reference', 'person_row_alias') }}
        union
        select resolved_key from {{ source('reference', 'person_alias') }}
    ) as decided
    left join (
        select coalesce(person_alias.resolved_key, told.person_key) as person_key
        from {{ source('reference', 'person_key') }} as told
        left join {{ source('reference', 'person_alias') }} as person_alias
            on told.person_key = person_alias.person_key
    ) as known
        on decided.resolved_key = known.person_key
    where known.person_key is null
{%- endmacro %}
