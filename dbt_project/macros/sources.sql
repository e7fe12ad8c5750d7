{#
    Where the engine has no `read_parquet`: each source becomes a table over the files where they lie, made anew at the
    start of a run. Of a feed's files one without rows says the columns (ingestion.lake), so no other is opened for it.
#}
{% macro register_sources() -%}
    {{ adapter.dispatch('register_sources')() }}
{%- endmacro %}

{% macro default__register_sources() -%}
{%- endmacro %}

{% macro spark__register_sources() -%}
    {%- if execute -%}
        {%- set lake, reference = env_var('ZHAOREN_LAKE'), env_var('ZHAOREN_REFERENCE') -%}
        {%- set files = files_at(lake ~ '/*/schema.parquet') + files_at(reference ~ '/*.parquet') -%}
        {%- for schema in ['lake', 'reference'] -%}
            {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- endfor -%}
        {%- for node in graph.sources.values() -%}
            {%- set feed = lake ~ '/' ~ node.name -%}
            {%- set table = reference ~ '/' ~ node.name ~ '.parquet' -%}
            {%- if node.source_name == 'lake_rows' -%}
                {%- do register_source(node, 'delivery_id string', lake) -%}
            {%- elif node.source_name == 'lake' and feed ~ '/schema.parquet' in files -%}
                {%- do register_source(node, columns_of_file(feed ~ '/schema.parquet'), feed) -%}
            {%- elif table in files -%}
                {%- do register_source(node, columns_of_file(table), table) -%}
            {%- endif -%}
            {#- What nobody has published yet is missed by the model that reads it, as on DuckDB. -#}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{# The places of the files that a pattern finds; none of them is read. #}
{% macro files_at(pattern) -%}
    {%- set places = [] -%}
    {%- for row in run_query('select path from binaryFile.`' ~ pattern ~ '`').rows -%}
        {%- do places.append(row[0] | replace('file:', '')) -%}
    {%- endfor -%}
    {{ return(places) }}
{%- endmacro %}

{% macro columns_of_file(place) -%}
    {%- set columns = [] -%}
    {%- for row in run_query('describe query select * from ' ~ parquet_at(place)).rows -%}
        {%- do columns.append('`' ~ row[0] ~ '` ' ~ row[1]) -%}
    {%- endfor -%}
    {{ return(columns | join(', ')) }}
{%- endmacro %}

{% macro register_source(node, columns, place) -%}
    {%- do run_query('drop table if exists ' ~ node.schema ~ '.' ~ node.name) -%}
    {%- set statement -%}
        create table {{ node.schema }}.{{ node.name }} ({{ columns }})
        using parquet
        options (path '{{ place }}', recursiveFileLookup 'true')
    {%- endset -%}
    {%- do run_query(statement) -%}
{%- endmacro %}

{# The rows of one file. #}
{% macro parquet_at(place) -%}
    {{ adapter.dispatch('parquet_at')(place) }}
{%- endmacro %}

{% macro default__parquet_at(place) -%}
    read_parquet('{{ place }}')
{%- endmacro %}

{% macro spark__parquet_at(place) -%}
    parquet.`{{ place }}`
{%- endmacro %}
