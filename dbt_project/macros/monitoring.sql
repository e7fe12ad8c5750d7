{#
    For how many months in a row, this one included, the deliveries of a feed have come in from a county. Absence of a
    row says something only where the file is there.
#}
{% macro arrived_months(feed) -%}
    select
        month,
        county_code,
        is_arrived,
        cast(
            count(*) over (partition by county_code order by month)
            - coalesce(max(case when not is_arrived then position end) over (partition by county_code order by month), 0)
            as integer
        ) as arrived_streak
    from (
        select
            month,
            county_code,
            is_arrived,
                row_number() over (partition by county_code order by month) as position
        from {{ ref('feed_month') }}
        where feed = '{{ feed }}'
    ) as told
{%- endmacro %}

{# Lists of evidence put together into one; an aggregate. #}
{% macro evidence_union(evidence) -%}
    {{ adapter.dispatch('evidence_union')(evidence) }}
{%- endmacro %}

{% macro default__evidence_union(evidence) -%}
    list_sort(list_distinct(flatten(list({{ evidence }}))))
{%- endmacro %}

{% macro spark__evidence_union(evidence) -%}
    array_sort(array_distinct(flatten(collect_list({{ evidence }}))))
{%- endmacro %}

{# Two lists of evidence put together. #}
{% macro evidence_concat(first, second) -%}
    {{ adapter.dispatch('evidence_concat')(first, second) }}
{%- endmacro %}

{% macro default__evidence_concat(first, second) -%}
    list_sort(list_distinct(list_concat({{ first }}, {{ second }})))
{%- endmacro %}

{% macro spark__evidence_concat(first, second) -%}
    array_sort(array_distinct(
        concat(coalesce({{ first }}, {{ no_evidence() }}), coalesce({{ second }}, {{ no_evidence() }}))
    ))
{%- endmacro %}

{# An empty list of evidence, for what rests on no single row. #}
{% macro no_evidence() -%}
    {{ adapter.dispatch('no_evidence')() }}
{%- endmacro %}

{% macro default__no_evidence() -%}
    cast([] as struct(delivery_id varchar, row_number bigint)[])
{%- endmacro %}

{% macro spark__no_evidence() -%}
    cast(array() as array<struct<delivery_id: string, row_number: bigint>>)
{%- endmacro %}
{#
    The settlements of the running 12 months that a household's (or one person's) medical spending rests on, for the
    rows of a CTE with month, household_id and person_key.
#}
{% macro medical_evidence(hits, of_person=false) -%}
    select
        {{ hits }}.month,
        {{ hits }}.household_id,
        {{ evidence_list('settlement.delivery_id', 'settlement.row_number') }} as evidence
    from {{ hits }}
    inner join {{ ref('household_member_month') }} as member
        on
            {{ hits }}.month = member.month
            and {{ hits }}.household_id = member.household_id
            {%- if of_person %}
            and {{ hits }}.person_key = member.person_key
            {%- endif %}
    inner join {{ ref('person_medical_settlement') }} as settlement
        on
            member.person_key = settlement.person_key
            and settlement.settled_month > {{ window_back(hits ~ '.month', 'rigid_spending_window_months') }}
            and settlement.settled_month <= {{ hits }}.month
    where settlement.out_of_pocket_yuan <> 0
    group by {{ hits }}.month, {{ hits }}.household_id
{%- endmacro %}

{#
    An event stands from the month in which it is known, for the months that policy gives it; late news too old is
    none. The query has the two numbers as standing.value and late.value.
#}
{% macro event_stands(month, known_month, event_on) -%}
    {{ month }} >= {{ known_month }}
    and {{ months_between(known_month, month) }} < standing.value
    and {{ months_between(event_on, known_month) }} <= late.value
{%- endmacro %}

{# The number of an alert: the side's letter and twelve letters of household, side and first month. #}
{% macro alert_number(side, household_id, first_month) -%}
    concat(
        case when {{ side }} = 'need' then 'N-' else 'X-' end,
        substring({{ letters_key([side, household_id, "cast(" ~ first_month ~ " as string)"]) }}, 1, 12)
    )
{%- endmacro %}

{# A list in a given order; an aggregate. #}
{% macro ordered_list(expression, ordering) -%}
    {{ adapter.dispatch('ordered_list')(expression, ordering) }}
{%- endmacro %}

{% macro default__ordered_list(expression, ordering) -%}
    list({{ expression }} order by {{ ordering }})
{%- endmacro %}

{% macro spark__ordered_list(expression, ordering) -%}
    transform(array_sort(collect_list(struct({{ ordering }}, {{ expression }} as item))), entry -> entry.item)
{%- endmacro %}

{# How much a level weighs: the order of severity. #}
{% macro level_weight(level) -%}
    case {{ level }} when 'red' then 4 when 'orange' then 3 when 'yellow' then 2 when 'blue' then 1 end
{%- endmacro %}

{% macro level_of_weight(weight) -%}
    case {{ weight }} when 4 then 'red' when 3 then 'orange' when 2 then 'yellow' when 1 then 'blue' end
{%- endmacro %}

{% macro add_days(date, count) -%}
    {{ adapter.dispatch('add_days')(date, count) }}
{%- endmacro %}

{% macro default__add_days(date, count) -%}
    cast({{ date }} + ({{ count }}) as date)
{%- endmacro %}

{% macro spark__add_days(date, count) -%}
    date_add({{ date }}, {{ count }})
{%- endmacro %}

{% macro list_length(list) -%}
    {{ adapter.dispatch('list_length')(list) }}
{%- endmacro %}

{% macro default__list_length(list) -%}
    len({{ list }})
{%- endmacro %}

{% macro spark__list_length(list) -%}
    array_size({{ list }})
{%- endmacro %}
