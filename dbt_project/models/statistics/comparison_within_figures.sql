{#- The register against the month before, areas against those below, steps of the funnel against each other. -#}
{%- set stocks = {
    'person_stock': ('register_persons', 'persons'),
    'household_stock': ('register_households', 'households'),
} -%}
{%- set funnel = [
    ('funnel_listed', 'alerts_standing'),
    ('funnel_assigned', 'funnel_listed'),
    ('funnel_visited', 'funnel_assigned'),
    ('funnel_confirmed', 'funnel_visited'),
] -%}
with
figure as (
    select * from {{ ref('figure_month_area') }}
    where {{ since_rebuild('month', back=1) }} and numerator is null
),

catalogue as (
    select * from {{ source('reference', 'figure') }}
),

month as (
    select
        *,
        min(month) over () as first_month
    from {{ ref('run_month') }}
),

city as (
    select min({{ area_on('city', 'code') }}) as area_code
    from {{ source('reference', 'division') }}
    where level = 'city'
),

-- The register follows from that of the month before, in each layer of each area.
stock_part as (
    {%- for check, (stock, unit) in stocks.items() %}
    select
        '{{ check }}' as check_id,
        month,
        area_level,
        area_code,
        layer,
        value as left_value,
        0 as right_value
    from figure
    where figure = '{{ stock }}' and layer <> 'all'
    union all
    select
        '{{ check }}' as check_id,
        {{ add_months('month', 1) }} as month,
        area_level,
        area_code,
        layer,
        0 as left_value,
        value as right_value
    from figure
    where figure = '{{ stock }}' and layer <> 'all'
    union all
    select
        '{{ check }}' as check_id,
        month,
        area_level,
        area_code,
        layer,
        0 as left_value,
        case
            when figure in ('{{ unit }}_new', '{{ unit }}_changed_in', '{{ unit }}_moved_in') then value else -value
        end as right_value
    from figure
    where
        layer <> 'all'
        and figure in (
            '{{ unit }}_new', '{{ unit }}_changed_in', '{{ unit }}_moved_in',
            '{{ unit }}_left', '{{ unit }}_changed_out', '{{ unit }}_moved_out'
        )
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

stock_layer as (
    select
        stock_part.check_id,
        stock_part.month,
        stock_part.area_level,
        stock_part.area_code,
        stock_part.layer,
        sum(stock_part.left_value) as left_value,
        sum(stock_part.right_value) as right_value
    from stock_part
    inner join month on stock_part.month = month.month
    where stock_part.month > month.first_month
    group by
        stock_part.check_id, stock_part.month, stock_part.area_level, stock_part.area_code, stock_part.layer
),

stock as (
    select
        check_id,
        case check_id when 'person_stock' then 'register_persons' else 'register_households' end as figure,
        month,
        area_level,
        area_code,
        sum(left_value) as left_value,
        sum(right_value) as right_value,
        sum(abs(left_value - right_value)) as difference
    from stock_layer
    group by check_id, month, area_level, area_code
),

-- Areas below against the area, each with each, so that faults cannot cancel out.
parent as (
    select
        figure.figure,
        figure.month,
        figure.area_level,
        figure.area_code,
        figure.layer,
        figure.dimension,
        coalesce(figure.value, 0) as value
    from figure
    inner join catalogue on figure.figure = catalogue.figure
    where catalogue.sums
),

upper_parent as (
    select * from parent
    where area_level <> 'village'
),

child as (
    select
        figure,
        month,
        case area_level when 'village' then 'township' when 'township' then 'county' else 'city' end as area_level,
        case area_level
            when 'village' then {{ area_on('township', 'area_code') }}
            when 'township' then {{ area_on('county', 'area_code') }}
            else {{ area_on('city', 'area_code') }}
        end as area_code,
        layer,
        dimension,
        sum(value) as value
    from parent
    where area_level <> 'city'
    group by
        figure,
        month,
        case area_level when 'village' then 'township' when 'township' then 'county' else 'city' end,
        case area_level
            when 'village' then {{ area_on('township', 'area_code') }}
            when 'township' then {{ area_on('county', 'area_code') }}
            else {{ area_on('city', 'area_code') }}
        end,
        layer,
        dimension
),

added as (
    select
        coalesce(parent.figure, child.figure) as figure,
        coalesce(parent.month, child.month) as month,
        coalesce(parent.area_level, child.area_level) as area_level,
        coalesce(parent.value, 0) as left_value,
        coalesce(child.value, 0) as right_value
    from upper_parent as parent
    full outer join child
        on
            parent.figure = child.figure
            and parent.month = child.month
            and parent.area_level = child.area_level
            and parent.area_code = child.area_code
            and parent.layer = child.layer
            and parent.dimension = child.dimension
),

sums as (
    select
        'sums_upwards' as check_id,
        added.figure,
        added.month,
        added.area_level,
        city.area_code,
        sum(added.left_value) as left_value,
        sum(added.right_value) as right_value,
        sum(abs(added.left_value - added.right_value)) as difference
    from added
    cross join city
    group by added.figure, added.month, added.area_level, city.area_code
),

-- No step of the funnel has more than the one before, in any part of any area.
narrowing as (
    {%- for inner, outer in funnel %}
    select
        'funnel_narrows' as check_id,
        narrow.figure,
        narrow.month,
        narrow.area_level,
        narrow.area_code,
        sum(greatest(narrow.value - coalesce(wide.value, 0), 0)) as left_value,
        0 as right_value,
        sum(greatest(narrow.value - coalesce(wide.value, 0), 0)) as difference
    from figure as narrow
    left join figure as wide
        on
            wide.figure = '{{ outer }}'
            and narrow.month = wide.month
            and narrow.area_level = wide.area_level
            and narrow.area_code = wide.area_code
            and narrow.layer = wide.layer
            and narrow.dimension = wide.dimension
    where narrow.figure = '{{ inner }}' and narrow.area_level <> 'village'
    group by narrow.figure, narrow.month, narrow.area_level, narrow.area_code
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

compared as (
    select * from stock
    union all
    select * from sums
    union all
    select * from narrowing
),

final as (
    select
        compared.check_id,
        compared.figure,
        compared.month,
        compared.area_level,
        compared.area_code,
        cast(compared.left_value as decimal(18, 4)) as left_value,
        cast(compared.right_value as decimal(18, 4)) as right_value,
        cast(compared.difference as decimal(18, 4)) as difference
    from compared
    inner join month on compared.month = month.month
)

select * from final
