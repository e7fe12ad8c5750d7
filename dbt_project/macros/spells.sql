{#
    Spells: rows that hold for a span of months, half open. One place for what several models do with them.
#}

{# The first month in which a fact counts that is told in one month and happened on a day: never before either. #}
{% macro effective_month(known_month, day) -%}
    greatest({{ known_month }}, {{ month_of(day) }})
{%- endmacro %}

{# Two spells share a month. #}
{% macro overlap(first, second) -%}
    {{ first }}.valid_from < {{ second }}.valid_to and {{ second }}.valid_from < {{ first }}.valid_to
{%- endmacro %}

{# One text of several columns, so that a row can be compared with the row before it; a null is a value. #}
{% macro content_of(columns) -%}
    concat_ws('|'{% for column in columns %}, coalesce(cast({{ column }} as string), '-'){% endfor %})
{%- endmacro %}

{#
    Neighbouring spells of one key with the same content become one: the rows where the content changes, with the end
    of the last row that has it. All other columns are those of the first row. Spells of a key must not overlap,
    unless they are told apart by the ordering of their starts.
#}
{% macro merged_spells(relation, key, content) -%}
    select * from (
        select
            numbered.* {{ except_columns(['valid_to', 'is_start', 'spell_number']) }},
            is_start,
            max(valid_to) over (partition by {{ key | join(', ') }}, spell_number) as valid_to
        from (
            select
                compared.*,
                sum(is_start) over (
                    partition by {{ key | join(', ') }}
                    order by valid_from
                    rows between unbounded preceding and current row
                ) as spell_number
            from (
                select
                    told.*,
                    case
                        when
                            lag(valid_to) over (partition by {{ key | join(', ') }} order by valid_from) = valid_from
                            and lag({{ content_of(content) }}) over (
                                partition by {{ key | join(', ') }} order by valid_from
                            ) = {{ content_of(content) }}
                            then 0
                        else 1
                    end as is_start
                from {{ relation }} as told
            ) as compared
        ) as numbered
    ) as merged
    where is_start = 1
{%- endmacro %}

{#
    Spells of persons, cut wherever something else about the same person begins or ends. `spells` has person_key,
    valid_from and valid_to, `cuts` person_key and starts; a piece is (person_key, spell_from, starts, ends).
#}
{% macro pieces(spells, cuts) -%}
    select
        person_key,
        spell_from,
        starts,
        lead(starts, 1, valid_to) over (partition by person_key, spell_from order by starts) as ends
    from (
        select
            person_key,
            valid_from as spell_from,
            valid_from as starts,
            valid_to
        from {{ spells }}
        union distinct
        select
            spell.person_key,
            spell.valid_from as spell_from,
            cut.starts,
            spell.valid_to
        from {{ spells }} as spell
        inner join {{ cuts }} as cut
            on
                spell.person_key = cut.person_key
                and spell.valid_from < cut.starts
                and spell.valid_to > cut.starts
    ) as boundary
{%- endmacro %}

{% macro except_columns(columns) -%}
    {{ adapter.dispatch('except_columns')(columns) }}
{%- endmacro %}

{% macro default__except_columns(columns) -%}
    exclude ({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__except_columns(columns) -%}
    except ({{ columns | join(', ') }})
{%- endmacro %}

{#
    A step that is computed once and as written. Joins over spans of months mislead the estimates of DuckDB: it pulls
    several steps into one and crosses months with persons.
#}
{% macro step() -%}
    {{ adapter.dispatch('step')() }}
{%- endmacro %}

{% macro default__step() -%}
    materialized
{%- endmacro %}

{% macro spark__step() -%}
{%- endmacro %}
