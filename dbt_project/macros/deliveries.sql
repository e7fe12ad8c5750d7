{#
    Which deliveries count for which months (reference.delivery_validity). A delivery in force has one row for all of
    it, and one for each area of which another delivery has taken over the rows from some month on. A feed without a
    column of divisions cannot be cut by rows: there the row for all of it counts.
#}
{% macro deliveries_in_force(division_column=none) -%}
    {%- if division_column %}
    select
        delivery_id,
        area,
        excepted,
        valid_from,
        valid_to
    from {{ source('reference', 'delivery_validity') }}
    {%- else %}
    select
        delivery_id,
        valid_from,
        valid_to
    from {{ source('reference', 'delivery_validity') }}
    where area is null
    {%- endif %}
{%- endmacro %}

{#
    The rows of a delivery that a row of its validity speaks for: those of its area (none: all rows) but for the
    divisions excepted, which stand as ',420702,420703001,'. Rows without a division, or of another city, belong to no
    area and are never excepted. Divisions have 6, 9 or 12 digits, so an excepted one is one of those three beginnings.
#}
{% macro row_in_force(delivered, validity, division_column=none) -%}
    {{ delivered }}.delivery_id = {{ validity }}.delivery_id
    {%- if division_column %}
    and (
        {{ validity }}.area is null
        or {{ delivered }}.{{ division_column }} like concat({{ validity }}.area, '%')
    )
    and (
        {{ validity }}.excepted is null
        or {{ delivered }}.{{ division_column }} is null
        or not (
            {%- for digits in (6, 9, 12) %}
            {{ 'or ' if not loop.first }}{{ validity }}.excepted
            like concat('%,', substr({{ delivered }}.{{ division_column }}, 1, {{ digits }}), ',%')
            {%- endfor %}
        )
    )
    {%- endif %}
{%- endmacro %}
