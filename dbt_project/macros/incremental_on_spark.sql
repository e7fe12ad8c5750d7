{#
    Month after month on Spark (macros/incremental.sql says what is built anew, and why), where files are never altered:

    - a table of months is partitioned by `month`; the months built anew replace their partitions, and one of which
      nothing is left goes;
    - a table of events or spells is written anew beside itself, from the rows that stay and those told now, and takes its
      name: a kill leaves the one or the other;
    - any other table is made anew.

    dbt calls this in place of its own materialisation, which knows whole partitions alone.
#}
{% materialization incremental, adapter='spark', supported_languages=['sql'] -%}
    {%- set existing = load_relation(this) -%}
    {%- set names = adapter.get_column_schema_from_query(get_empty_subquery_sql(compiled_code)) | map(attribute='name') | list -%}
    {%- set of_months = 'month' in names and not config.get('unique_key') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none or existing.is_view or should_full_refresh() -%}
        {%- do drop_if_there(existing) -%}
        {%- call statement('main') -%}
            {{ table_on_spark(this, compiled_code, of_months) }}
        {%- endcall -%}
    {%- elif of_months -%}
        {%- do drop_months(this, rebuild_from()) -%}
        {%- call statement('main') -%}
            {{ months_overwritten(this, compiled_code) }}
        {%- endcall -%}
    {%- else -%}
        {%- set told = sibling_of(this, 'told') -%}
        {%- do drop_if_there(told) -%}
        {%- do run_query(table_on_spark(told, compiled_code, false)) -%}
        {%- call statement('main') -%}
            {{ table_with_told(this, told, names) }}
        {%- endcall -%}
        {%- do drop_if_there(this) -%}
        {%- do run_query('alter table ' ~ sibling_of(this, 'anew') ~ ' rename to ' ~ this) -%}
        {%- do drop_if_there(told) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this]}) }}
{%- endmaterialization %}

{% macro sibling_of(relation, suffix) -%}
    {{ return(relation.incorporate(path={'identifier': relation.identifier ~ '__' ~ suffix}, type='table')) }}
{%- endmacro %}

{% macro drop_if_there(relation) -%}
    {%- if relation -%}
        {%- do run_query('drop ' ~ ('view' if relation.is_view else 'table') ~ ' if exists ' ~ relation) -%}
    {%- endif -%}
{%- endmacro %}

{# One file a month, whatever the number of tasks. #}
{% macro table_on_spark(relation, code, of_months) -%}
    create table {{ relation }}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(code) }}
        {%- set code = get_select_subquery(code) -%}
    {%- endif %}
    using {{ config.get('file_format', 'parquet') }}
    {{ 'partitioned by (month)' if of_months }}
    as
    select * from (
    {{ code }}
    ) as built
    {{ 'distribute by month' if of_months }}
{%- endmacro %}

{% macro months_overwritten(relation, code) -%}
    insert overwrite table {{ relation }} partition (month)
    select {{ adapter.get_columns_in_relation(relation) | map(attribute='quoted') | join(', ') }} from (
    {{ code }}
    ) as built
    where month >= {{ rebuild_from() }}
    distribute by month
{%- endmacro %}

{% macro drop_months(relation, first) -%}
    {%- set months = [] -%}
    {%- for row in run_query('show partitions ' ~ relation).rows -%}
        {%- set month = "date '" ~ row[0].split('=')[1] ~ "'" -%}
        {%- if month >= first | trim -%}
            {%- do months.append('partition (month = ' ~ month ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if months -%}
        {%- do run_query('alter table ' ~ relation ~ ' drop if exists ' ~ months | join(', ')) -%}
    {%- endif -%}
{%- endmacro %}

{# The rows that stay are those that the strategy `rebuild` does not delete. #}
{% macro table_with_told(relation, told, names) -%}
    {%- set columns = ['last_told_month', 'valid_to', 'month'] if model.fqn[1] == 'identity' else ['month'] -%}
    {%- set month = columns | select('in', names) | first -%}
    {%- set key = config.get('unique_key') or [] -%}
    {%- set anew = sibling_of(relation, 'anew') -%}
    {%- do drop_if_there(anew) -%}
    create table {{ anew }} using {{ config.get('file_format', 'parquet') }} as
    {%- if month %}
    select {{ names | join(', ') }} from {{ relation }} as earlier
    where
        coalesce({{ month }} < {{ rebuild_from() }}, true)
        {%- if key %}
        and not exists (select 1 from {{ told }} as told where {{ same_key('earlier', 'told', key) }})
        {%- endif %}
    union all
    {%- endif %}
    select {{ names | join(', ') }} from {{ told }}
{%- endmacro %}
