{#
    Month after month: a table is not made anew but from the first month on that other deliveries touch
    (reference.run.rebuild_from, chosen by orchestration against the generation published last).

    What may be built so: a row says of its month nothing that a delivery of a later month told. Then the months before
    are as a full build would make them, and stay. Three kinds of tables, by their columns and key:

    - months: a column `month`. Rows from the month on are made anew.
    - spells: `valid_from` and `valid_to`. Rows still open in that month are made anew; a snapshot fact has in addition the
      key `valid_from`, since which of several rows of one delivery month counts is decided among all of them.
    - events: a key and `last_told_month`. What was told since is taken back and told anew, see `newest_of_event`.

    On DuckDB the strategy `rebuild` deletes and inserts in one transaction. On Spark, where files are never altered,
    macros/incremental_on_spark.sql takes its place.
#}

{#
    The first month that is built anew, as a literal: a constant lets the engine skip what it does not concern.

    Identity begins where deliveries differ. What follows from identity may have to go further back: an event told again
    with another content, told late or taken back concerns months before the delivery that says so (`event_reach`, and
    `facts_from` of the run for what the generation published last knew of it), and a model newly adopted scores months
    past anew (`scores_from` of the run). Alerts go back to what somebody decided since (`decisions_from` of the run).
#}
{% macro rebuild_from(layer=none) -%}
    {{ adapter.dispatch('rebuild_from')(layer or model.fqn[1]) }}
{%- endmacro %}

{% macro default__rebuild_from(layer) -%}
    {%- if execute -%}
        {{ remembered('rebuild_from ' ~ layer) or remember('rebuild_from ' ~ layer, asked_rebuild_from(layer)) }}
    {%- else -%}
        date '1900-01-01'
    {%- endif -%}
{%- endmacro %}

{% macro asked_rebuild_from(layer) -%}
    {%- set run = run_query('select * from ' ~ source('reference', 'run')).rows[0] -%}
    {#- A run that does not say what it builds anew builds everything. -#}
    {%- set months = [run['rebuild_from'] if 'rebuild_from' in run.keys() else run['first_month']] -%}
    {%- if layer not in ['staging', 'identity'] -%}
        {%- do months.append(('facts_from' in run.keys() and run['facts_from']) or run['first_month']) -%}
        {%- do months.extend(reached_months(months[0])) -%}
    {%- endif -%}
    {%- if layer not in ['staging', 'identity', 'indicators'] and 'scores_from' in run.keys() and run['scores_from'] -%}
        {%- do months.append(run['scores_from']) -%}
    {%- endif -%}
    {%- if layer in ['alerts', 'statistics'] and 'decisions_from' in run.keys() and run['decisions_from'] -%}
        {%- do months.append(run['decisions_from']) -%}
    {%- endif -%}
    {{ return("date '" ~ (months | min) ~ "'") }}
{%- endmacro %}

{#
    What was asked of the warehouse once in an invocation is not asked again: a model asks for its first month in many
    places, and each question costs dbt more than it costs the engine. `graph` is the one thing that all nodes of an
    invocation share.
#}
{% macro remembered(question) -%}
    {{ return(graph.get('remembered', {}).get(invocation_id ~ ' ' ~ question)) }}
{%- endmacro %}

{% macro remember(question, answer) -%}
    {%- do graph.setdefault('remembered', {}).update({invocation_id ~ ' ' ~ question: answer}) -%}
    {{ return(answer) }}
{%- endmacro %}

{# The earliest month that an event told since then speaks of; none where nothing was. #}
{% macro reached_months(since) -%}
    {%- set reach = adapter.get_relation(database=target.database, schema='identity', identifier='event_reach') -%}
    {%- set query = 'select min(reaches_to) from ' ~ reach ~ " where month >= date '" ~ since ~ "'" -%}
    {%- set found = run_query(query).rows[0][0] if reach else none -%}
    {{ return([found] if found else []) }}
{%- endmacro %}

{#
    Orders what is built by month behind the table that says how far back it has to go: dbt reads `ref` in a hook. A
    hook that says nothing is not run.
#}
{% macro after_events() -%}
    {%- do ref('event_reach') -%}
{%- endmacro %}

{# Whether this build adds months to the table; in a unit test a model is what a full build makes of it. #}
{% macro adds_months() -%}
    {{ return(model.resource_type == 'model' and is_incremental()) }}
{%- endmacro %}

{#
    A condition on rows of a table of months, of events as delivered, or of anything else with a month. `back` months
    before are read besides: a window looks that far; `windows` names the parameters that say how far. Of both the longer.
#}
{% macro since_rebuild(column, back=0, windows=[]) -%}
    {%- if adds_months() -%}
        {%- set back = [back, longest_window(windows) | int if windows else 0] | max -%}
        {{ column }} >= {{ add_months(rebuild_from(), -back) if back else rebuild_from() }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#
    What a model computes for months that stay is left out of what it writes, so that the strategy needs no line in a
    model's SQL: the engine pushes the condition down to what is read as far as joins on the month carry it. Where a
    window or a spell is in its way, `since_rebuild` at the import says how far back is read.
#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none
) -%}
    {%- set code = compiled_code -%}
    {%- if temporary and config.get('incremental_strategy') == 'rebuild' and is_table_of_months() -%}
        {%- set code -%}
            select * from (
            {{ compiled_code }}
            ) as built
            where month >= {{ rebuild_from() }}
        {%- endset -%}
    {%- endif -%}
    {{ return(dbt.duckdb__create_table_as(temporary, relation, code, language, partitioned_by, sorted_by)) }}
{%- endmacro %}

{# Every column is described, so that the YAML says it without a look at the table. #}
{% macro is_table_of_months() -%}
    {{ return('month' in model.columns and model.fqn[1] != 'identity') }}
{%- endmacro %}

{#
    Columns change with the code alone, and other code makes all tables anew (orchestration.home.generation): dbt need not
    compare those of every table in every run. Stands for dbt's own macro of that name.
#}
{% macro process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {{ return({}) }}
{%- endmacro %}

{#
    A condition on the delivered rows of a snapshot: those of deliveries still open in the month from which on is built
    anew, with all others that begin in the same months. Usually that is the last delivery and the new one.
#}
{% macro open_since_rebuild(feed) -%}
    {%- if is_incremental() -%}
        (valid_from >= {{ rebuild_from() }} or valid_from in ({{ open_starts(feed) }}))
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# The first month in which a row of `open_since_rebuild` begins; for what has to look back from there. #}
{% macro first_open_since_rebuild(feed) -%}
    {%- if is_incremental() -%}
        least({{ rebuild_from() }}, {{ open_starts(feed) }})
    {%- else -%}
        date '1900-01-01'
    {%- endif -%}
{%- endmacro %}

{# The months in which the open deliveries of a feed begin, as literals; at least one, which may be at the end of time. #}
{% macro open_starts(feed) -%}
    {{ adapter.dispatch('open_starts')(feed) }}
{%- endmacro %}

{% macro default__open_starts(feed) -%}
    {%- set starts -%}
        select distinct valid_from
        from {{ source('reference', 'delivery_validity') }}
        where delivery_id in (
            select delivery_id from {{ source('reference', 'delivery_validity') }}
            where feed = '{{ feed }}' and valid_to >= {{ rebuild_from() }}
        )
        order by valid_from
    {%- endset -%}
    {%- for row in (run_query(starts).rows if execute else []) -%}date '{{ row[0] }}', {% endfor -%}
    date '9999-12-31'
{%- endmacro %}

{#
    The strategy. Rows of the month and after go, then those whose key is told anew, then the new ones come: one
    transaction, so a kill leaves the table as it was or as it shall be.
#}
{% macro get_incremental_rebuild_sql(arguments) -%}
    {%- set target = arguments.target_relation -%}
    {%- set source = arguments.temp_relation -%}
    {%- set names = arguments.dest_columns | map(attribute='name') | list -%}
    {%- set columns = ['last_told_month', 'valid_to', 'month'] if model.fqn[1] == 'identity' else ['month'] -%}
    {%- set column = columns | select('in', names) | first -%}
    {%- set key = arguments.unique_key or [] -%}
    {#- A table without months is made anew: it may be told to be incremental by its layer alone. #}
    delete from {{ target }}{{ ' where ' ~ column ~ ' >= ' ~ rebuild_from() if column }};
    {%- if key %}
    delete from {{ target }} as earlier
    using (select distinct {{ key | join(', ') }} from {{ source }}) as told
    where {% for name in key %}{{ 'and ' if not loop.first }}earlier.{{ name }} = told.{{ name }} {% endfor %};
    {%- endif %}
    insert into {{ target }} ({{ names | join(', ') }})
    select {{ names | join(', ') }} from {{ source }}
{%- endmacro %}

{#
    An event delivered again in a later month under the same key is one event: the newest content counts, known since
    the first month that told of it. `last_told_month` is the month whose delivery told what counts.

    Built by month, the events of deliveries since then are enough, with two looks at the table: since when a key is
    known, and which events have to get back what an earlier delivery told, since a later one was withdrawn.
#}
{% macro newest_of_event(relation, key) -%}
    {%- set keys = key | join(', ') -%}
    {%- if is_incremental() %}
    -- Usually none: a delivery that told of them later was withdrawn.
    with taken_back as (
        select {{ keys }} from {{ this }}
        where known_month < {{ rebuild_from() }} and last_told_month >= {{ rebuild_from() }}
    ),

    told as (
        select * from {{ relation }}
        where valid_from >= {{ rebuild_from() }}
        union all
        select delivered.*
        from {{ relation }} as delivered
        inner join taken_back
            on {{ same_key('delivered', 'taken_back', key) }}
        where delivered.valid_from < {{ rebuild_from() }}
    ),

    told_key as (
        select distinct {{ keys }} from told
    ),

    -- Only the keys told now are looked for: where one of them holds a month or a running number, most of the table is
    -- not even read.
    known as (
        select
            {{ qualified('earlier', key) }},
            earlier.known_month
        from {{ this }} as earlier
        inner join told_key
            on {{ same_key('earlier', 'told_key', key) }}
        where earlier.known_month < {{ rebuild_from() }}
    )

    select
        told.*,
        told.valid_from as last_told_month,
        least(
            min(told.valid_from) over (partition by {{ qualified('told', key) }}), known.known_month
        ) as known_month
    from told
    left join known
        on {{ same_key('told', 'known', key) }}
    qualify
        row_number() over (
            partition by {{ qualified('told', key) }}
            order by told.valid_from desc, told.delivery_id desc, told.row_number desc
        ) = 1
    {%- else %}
    select
        *,
        valid_from as last_told_month,
        min(valid_from) over (partition by {{ keys }}) as known_month
    from {{ relation }}
    qualify
        row_number() over (
            partition by {{ keys }}
            order by valid_from desc, delivery_id desc, row_number desc
        ) = 1
    {%- endif %}
{%- endmacro %}

{#
    An event as it was told first. What follows for the months before a later telling rests on it, else each new delivery
    could alter months long past.
#}
{% macro first_of_event(relation, key) -%}
    select
        *,
        valid_from as known_month
    from {{ relation }}
    qualify
        row_number() over (
            partition by {{ key | join(', ') }}
            order by valid_from, delivery_id desc, row_number desc
        ) = 1
{%- endmacro %}

{% macro qualified(relation, columns) -%}
    {% for column in columns %}{{ ', ' if not loop.first }}{{ relation }}.{{ column }}{% endfor %}
{%- endmacro %}

{% macro same_key(first, second, columns) -%}
    {% for column in columns %}{{ ' and ' if not loop.first }}{{ first }}.{{ column }} = {{ second }}.{{ column }}{% endfor %}
{%- endmacro %}

{#
    The newest month, as a number, in which something happened by the rows of before: `columns` names what happened and
    the column of this table that counts the months since. To be joined on the household; empty where all is made anew.
#}
{% macro last_told_before(columns) -%}
    {%- if adds_months() %}
    select
        household_id
        {%- for name, column in columns.items() %},
        max({{ month_number('month') }} - {{ column }}) as last_{{ name }}
        {%- endfor %}
    from {{ this }}
    where month < {{ rebuild_from() }}
    group by household_id
    {%- else %}
    select
        household_id
        {%- for name in columns %},
        cast(null as integer) as last_{{ name }}
        {%- endfor %}
    from {{ ref('household_month') }}
    where false
    {%- endif %}
{%- endmacro %}
