{#
    Which deliveries count for which months (reference.delivery_validity). A delivery sent for the whole city and
    partly superseded by a district has a row for each division that it still speaks for. A feed without a column of
    divisions cannot be cut by rows: there the whole delivery counts as long as it speaks for anyone.
#}
{% macro deliveries_in_force(division_column=none) -%}
    {%- if division_column %}
    select
        delivery_id,
        division,
        valid_from,
        valid_to,
        row_number() over (partition by delivery_id, valid_from order by division) = 1 as is_first
    from {{ source('reference', 'delivery_validity') }}
    {%- else %}
    select distinct
        delivery_id,
        valid_from,
        valid_to
    from {{ source('reference', 'delivery_validity') }}
    {%- endif %}
{%- endmacro %}

{#
    The rows of a delivery that a row of its validity speaks for. Rows without a division, or of another city, belong
    to no district: they stay with the whole-city delivery.
#}
{% macro row_in_force(delivered, validity, division_column=none) -%}
    {{ delivered }}.delivery_id = {{ validity }}.delivery_id
    {%- if division_column %}
    and (
        {{ validity }}.division is null
        or {{ delivered }}.{{ division_column }} like concat({{ validity }}.division, '%')
        or (
            {{ validity }}.is_first
            and coalesce(substr({{ delivered }}.{{ division_column }}, 1, 4), '')
            <> substr({{ validity }}.division, 1, 4)
        )
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
