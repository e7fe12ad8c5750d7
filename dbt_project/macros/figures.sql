{#
    The catalogue of figures (models/statistics/figures.yaml, published as reference.figure) turned into SQL. A figure is
    written once there; here is how rows of a table become its numbers.
#}

{# The figures counted over a table, in order, as rows of the catalogue; none while dbt only parses. #}
{% macro figures_of(table) -%}
    {%- set catalogue = source('reference', 'figure') -%}
    {%- if execute -%}
        {%- set query -%}
            select figure, expression, split from {{ catalogue }} where source = '{{ table }}' order by sort_order
        {%- endset -%}
        {{ return(run_query(query).rows) }}
    {%- endif -%}
    {{ return([]) }}
{%- endmacro %}

{#
    All figures of a table, long: (figure, month, village_code, layer, dimension, value). The table has month,
    village_code and layer, and a column for each split. Each split is one pass over the table; a figure of which
    nothing is there has no row.
#}
{% macro counted_figures(table, relation) -%}
    {%- set figures = figures_of(table) -%}
    {%- set splits = [] -%}
    {%- for figure in figures if figure['split'] not in splits -%}
        {%- do splits.append(figure['split']) -%}
    {%- endfor -%}
    {%- for split in splits %}
    select
        counted.figure,
        grouped.month,
        grouped.village_code,
        grouped.layer,
        grouped.dimension,
        case counted.figure
            {%- for figure in figures if figure['split'] == split %}
            when '{{ figure['figure'] }}' then grouped.{{ figure['figure'] }}
            {%- endfor %}
        end as value
    from (
        select
            month,
            village_code,
            layer,
            {{ "coalesce(cast(" ~ split ~ " as string), 'unknown')" if split else "'all'" }} as dimension
            {%- for figure in figures if figure['split'] == split %},
            {{ as_decimal(figure['expression'], 18, 4) }} as {{ figure['figure'] }}
            {%- endfor %}
        from {{ relation }}
        group by 1, 2, 3, 4
    ) as grouped
    cross join (
        {%- for figure in figures if figure['split'] == split %}
        {{ 'union all ' if not loop.first }}select '{{ figure['figure'] }}' as figure
        {%- endfor %}
    ) as counted
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {%- if not figures %}
    select
        cast(null as string) as figure,
        month,
        village_code,
        layer,
        cast(null as string) as dimension,
        cast(null as decimal(18, 4)) as value
    from {{ relation }}
    where false
    {%- endif %}
{%- endmacro %}

{# The area of a village code on a level: the code begins with it. The city's is that of the run. #}
{% macro area_on(level, village_code) -%}
    {%- set digits = {'village': 12, 'township': 9, 'county': 6, 'city': 4}[level] -%}
    {%- if level == 'city' -%}
        concat(substr({{ village_code }}, 1, 4), '00')
    {%- else -%}
        substr({{ village_code }}, 1, {{ digits }})
    {%- endif -%}
{%- endmacro %}

{# Rows of villages summed up on the levels above: (…keys, area_level, area_code, …values). #}
{% macro summed_upwards(relation, keys, values, levels=('township', 'county', 'city')) -%}
    {%- for level in levels %}
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        '{{ level }}' as area_level,
        {{ area_on(level, 'village_code') }} as area_code
        {%- for value in values %},
        sum({{ value }}) as {{ value }}
        {%- endfor %}
    from {{ relation }}
    group by {{ keys | join(', ') }}, {{ area_on(level, 'village_code') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#
    Rows of a month (`told`, the name of a CTE) with the layer on the register and the village of the household: that of
    `person`, a column of theirs, or that which they name themselves. Whose household is not known stands in no layer, at
    the place of nobody.
#}
{% macro told_at_home(told, person=none) -%}
    select
        {{ told }}.*,
        coalesce(household.register_layer, 'none') as layer,
        place.village_code
    from {{ told }}
    inner join {{ ref('run_month') }} as run_month on {{ told }}.month = run_month.month
    {%- if person %}
    left join {{ ref('household_member_month') }} as member
        on {{ told }}.month = member.month and {{ told }}.{{ person }} = member.person_key
    {%- endif %}
    left join {{ ref('household_month') }} as household
        on
            {{ told }}.month = household.month
            and {{ 'member' if person else told }}.household_id = household.household_id
    inner join {{ ref('place') }} as place on coalesce(household.village_code, '') = place.told_code
{%- endmacro %}

{# What a visit found, by the code of its outcome; the one place in which statistics read that code table. #}
{% macro finding(outcome) -%}
    case {{ outcome }}
        when '1' then 'enrolled'
        when '2' then 'aided'
        when '3' then 'referred'
        when '4' then 'not_eligible'
        when '5' then 'not_confirmed'
        when '6' then 'not_reached'
        when '7' then 'moved_away'
        when '8' then 'deceased'
        when '9' then 'stopped'
        when '10' then 'continues'
    end
{%- endmacro %}

{# Findings by which what an alert or report said was true. #}
{% macro confirmed_findings() -%}
    ('enrolled', 'aided', 'referred', 'not_eligible', 'stopped')
{%- endmacro %}

{# What is paid to those on the register alone, and the layers to which it is paid. #}
{% macro register_benefits() -%}
    ('DB', 'TK')
{%- endmacro %}

{% macro register_benefit_layers() -%}
    ('dibao', 'destitute')
{%- endmacro %}

{# A text of the labels with its places filled. #}
{% macro filled(text, places) -%}
    {%- for place, value in places.items() -%}replace({%- endfor -%}
    {{ text }}
    {%- for place, value in places.items() -%}, '{{ "{" ~ place ~ "}" }}', {{ value }}){%- endfor -%}
{%- endmacro %}

{# Texts in a given order, separated by a literal; an aggregate. #}
{% macro ordered_text(expression, ordering, separator) -%}
    {{ adapter.dispatch('ordered_text')(expression, ordering, separator) }}
{%- endmacro %}

{% macro default__ordered_text(expression, ordering, separator) -%}
    string_agg({{ expression }}, {{ separator }} order by {{ ordering }})
{%- endmacro %}

{% macro spark__ordered_text(expression, ordering, separator) -%}
    case
        when count({{ expression }}) > 0 then array_join(
            transform(array_sort(collect_list(struct({{ ordering }}, {{ expression }} as item))), entry -> entry.item),
            {{ separator }}
        )
    end
{%- endmacro %}

{# A number as a person writes it: no zeros behind the point. #}
{% macro plain_number(expression) -%}
    {{ adapter.dispatch('plain_number')(expression) }}
{%- endmacro %}

{% macro default__plain_number(expression) -%}
    regexp_replace(cast(cast({{ expression }} as decimal(18, 2)) as string), '\.?0+$', '')
{%- endmacro %}

{% macro spark__plain_number(expression) -%}
    regexp_replace(cast(cast({{ expression }} as decimal(18, 2)) as string), '\\.?0+$', '')
{%- endmacro %}

{#
    A limit (lower or upper) of the observed rate of a row with exposure, observed, observed_rate, method and
    is_rare_side_turned. Wilson's score interval (1927); where fewer are expected than it needs, Byar's approximation of
    the exact Poisson interval (Breslow and Day 1987, p. 69) of the rarer of events and others.
#}
{% macro rate_limit(end, z) -%}
    {%- set sign, other = ('-', '+') if end == 'lower' else ('+', '-') -%}
    case
        when method = 'wilson' then
            (
                observed_rate + {{ z }} * {{ z }} / (2 * exposure)
                {{ sign }} {{ z }} * sqrt(
                    observed_rate * (1 - observed_rate) / exposure + {{ z }} * {{ z }} / (4.0 * exposure * exposure)
                )
            ) / (1 + {{ z }} * {{ z }} / exposure)
        when is_rare_side_turned
            then 1 - {{ byar_limit('upper' if end == 'lower' else 'lower', '(exposure - observed)', z) }} / exposure
        else {{ byar_limit(end, 'observed', z) }} / exposure
    end
{%- endmacro %}

{% macro byar_limit(end, count, z) -%}
    {%- if end == 'lower' -%}
        case
            when {{ count }} = 0 then 0
            else
                {{ count }}
                * power(greatest(1 - 1 / (9.0 * {{ count }}) - {{ z }} / (3 * sqrt({{ count }})), 0), 3)
        end
    {%- else -%}
        ({{ count }} + 1)
        * power(1 - 1 / (9.0 * ({{ count }} + 1)) + {{ z }} / (3 * sqrt({{ count }} + 1)), 3)
    {%- endif -%}
{%- endmacro %}

{# A rate as a person writes it: 12.3%. #}
{% macro percent_text(rate) -%}
    concat(cast(cast(100 * ({{ rate }}) as decimal(6, 1)) as string), '%')
{%- endmacro %}
