{# Evidence is a list of (delivery_id, row_number): the rows of deliveries that a statement rests on. #}

{% macro evidence(delivery_id='delivery_id', row_number='row_number') -%}
    {{ adapter.dispatch('evidence')(delivery_id, row_number) }}
{%- endmacro %}

{% macro default__evidence(delivery_id, row_number) -%}
    struct_pack(delivery_id := {{ delivery_id }}, row_number := {{ row_number }})
{%- endmacro %}

{% macro spark__evidence(delivery_id, row_number) -%}
    named_struct('delivery_id', {{ delivery_id }}, 'row_number', {{ row_number }})
{%- endmacro %}

{# An aggregate; distinct, in a fixed order, so that a rebuilt list has the same bytes. #}
{% macro evidence_list(delivery_id='delivery_id', row_number='row_number') -%}
    {{ adapter.dispatch('evidence_list')(delivery_id, row_number) }}
{%- endmacro %}

{% macro default__evidence_list(delivery_id, row_number) -%}
    list_sort(list(distinct {{ evidence(delivery_id, row_number) }}))
{%- endmacro %}

{% macro spark__evidence_list(delivery_id, row_number) -%}
    sort_array(collect_set({{ evidence(delivery_id, row_number) }}))
{%- endmacro %}

{# A list of the one row. #}
{% macro one_evidence(delivery_id='delivery_id', row_number='row_number') -%}
    {{ adapter.dispatch('one_evidence')(delivery_id, row_number) }}
{%- endmacro %}

{% macro default__one_evidence(delivery_id, row_number) -%}
    [{{ evidence(delivery_id, row_number) }}]
{%- endmacro %}

{% macro spark__one_evidence(delivery_id, row_number) -%}
    array({{ evidence(delivery_id, row_number) }})
{%- endmacro %}
