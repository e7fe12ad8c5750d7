{%- set levels = ('village', 'township', 'county', 'city') -%}
with
entry as (
    select
        'persons' as unit,
        month,
        person_key as counted,
        village_code,
        layer
    from {{ ref('register_person_month') }}
    where {{ since_rebuild('month', back=1) }}
    union all
    select
        'households' as unit,
        month,
        certificate_no as counted,
        village_code,
        layer
    from {{ ref('register_household_month') }}
    where {{ since_rebuild('month', back=1) }} and is_household
),

month as (
    select
        month,
        min(month) over () as first_month
    from {{ ref('run_month') }}
),

-- Everybody of this month and of the month before side by side; who stays as they were is no flow.
compared as (
    select
        coalesce(entry.unit, before.unit) as unit,
        coalesce(entry.month, {{ add_months('before.month', 1) }}) as month,
        before.village_code as village_before,
        before.layer as layer_before,
        entry.village_code as village_now,
        entry.layer as layer_now
    from entry
    full outer join entry as before
        on
            entry.unit = before.unit
            and entry.counted = before.counted
            and entry.month = {{ add_months('before.month', 1) }}
    where
        entry.counted is null
        or before.counted is null
        or entry.village_code <> before.village_code
        or entry.layer <> before.layer
),

-- Nobody is known to have come or gone in the first month of all.
flow as {{ step() }} (
    select compared.*
    from compared
    inner join month on compared.month = month.month
    where compared.month > month.first_month
),

-- A move goes before a change of layer: who did both left one area and came into another.
directed as (
    {%- for level in levels %}
    {%- set area_now, area_before = area_on(level, 'village_now'), area_on(level, 'village_before') %}
    select
        month,
        '{{ level }}' as area_level,
        {{ area_now }} as area_code,
        layer_now as layer,
        unit,
        case
            when village_before is null then 'new'
            when {{ area_before }} <> {{ area_now }} then 'moved_in'
            else 'changed_in'
        end as kind
    from flow
    where
        village_now is not null
        and (village_before is null or {{ area_before }} <> {{ area_now }} or layer_before <> layer_now)
    union all
    select
        month,
        '{{ level }}' as area_level,
        {{ area_before }} as area_code,
        layer_before as layer,
        unit,
        case
            when village_now is null then 'left'
            when {{ area_before }} <> {{ area_now }} then 'moved_out'
            else 'changed_out'
        end as kind
    from flow
    where
        village_before is not null
        and (village_now is null or {{ area_before }} <> {{ area_now }} or layer_before <> layer_now)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        month,
        area_level,
        area_code,
        layer,
        unit,
        kind,
        cast(count(*) as integer) as flow_count
    from directed
    group by month, area_level, area_code, layer, unit, kind
)

select * from final
