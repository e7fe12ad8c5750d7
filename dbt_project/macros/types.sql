{# Types as the contracts of models write them, in DuckDB's words, for an engine with other words; dbt calls it. #}
{% macro spark__cast(field, type) -%}
    cast({{ field }} as {{ spark_type(type) }})
{%- endmacro %}

{# varchar[] is array<string>, struct(a varchar)[] is array<struct<a: string>>; plain types are the same. #}
{% macro spark_type(type) -%}
    {%- if type.endswith('[]') -%}
        array<{{ spark_type(type[:-2]) }}>
    {%- elif type.startswith('struct(') -%}
        {#- Fields are parted by a comma and a blank, the digits of a decimal by a comma. -#}
        struct<
        {%- for field in type[7:-1].split(', ') -%}
            {%- set name, kind = field.split(' ') -%}
            {{ name }}: {{ spark_type(kind) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
        >
    {%- elif type == 'varchar' -%}
        string
    {%- else -%}
        {{ type }}
    {%- endif -%}
{%- endmacro %}
