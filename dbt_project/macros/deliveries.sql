{#
    Is a delivered row in force, and when? A delivery counts for the months of its rows in delivery_validity; one
    that was sent for the whole city and partly superseded by a district has a row for each division that it still
    speaks for. An events delivery counts for its own month.
#}
{% macro row_in_force(delivered, validity, division_column=none) -%}
    {{ delivered }}.delivery_id = {{ validity }}.delivery_id
    {%- if division_column %}
    and (
        {{ validity }}.division is null
        or {{ delivered }}.{{ division_column }} like concat({{ validity }}.division, '%')
    )
    {%- endif %}
{%- endmacro %}

{#
    An event delivered again in a later month under the same key is one event: the newest content counts, known since
    the first month that told of it.
#}
{% macro newest_of_event(relation, key) -%}
    select
        *,
        min(valid_from) over (partition by {{ key | join(', ') }}) as known_month
    from {{ relation }}
    qualify
        row_number() over (
            partition by {{ key | join(', ') }}
            order by valid_from desc, delivery_id desc, row_number desc
        ) = 1
{%- endmacro %}
