with
catalogue as (
    select * from {{ source('reference', 'figure') }}
),

counted as (
    select * from {{ ref('figure_month_village') }}
    where {{ since_rebuild('month') }}
),

flow as (
    select * from {{ ref('register_flow_area') }}
    where {{ since_rebuild('month') }}
),

feed_month as (
    select * from {{ ref('feed_month') }}
    where {{ since_rebuild('month') }}
),

month as (
    select
        month,
        min(month) over () as first_month
    from {{ ref('run_month') }}
),

division as (
    select * from {{ source('reference', 'division') }}
),

-- Parts that add up have a total.
split as (
    select
        figure,
        month,
        village_code,
        layer,
        dimension,
        value
    from counted
    union all
    select
        counted.figure,
        counted.month,
        counted.village_code,
        counted.layer,
        'all' as dimension,
        sum(counted.value) as value
    from counted
    inner join catalogue on counted.figure = catalogue.figure
    where catalogue.total
    group by counted.figure, counted.month, counted.village_code, counted.layer
),

-- Everything counted stands in exactly one layer.
layered as {{ step() }} (
    select * from split
    union all
    select
        figure,
        month,
        village_code,
        'all' as layer,
        dimension,
        sum(value) as value
    from split
    group by figure, month, village_code, dimension
),

-- Villages once; each level above from the one below, which is smaller.
village as (
    select
        figure,
        month,
        'village' as area_level,
        village_code as area_code,
        layer,
        dimension,
        value
    from layered
),

township as {{ step() }} (
    select
        figure,
        month,
        'township' as area_level,
        {{ area_on('township', 'area_code') }} as area_code,
        layer,
        dimension,
        sum(value) as value
    from village
    group by figure, month, {{ area_on('township', 'area_code') }}, layer, dimension
),

county as {{ step() }} (
    select
        figure,
        month,
        'county' as area_level,
        {{ area_on('county', 'area_code') }} as area_code,
        layer,
        dimension,
        sum(value) as value
    from township
    group by figure, month, {{ area_on('county', 'area_code') }}, layer, dimension
),

city as (
    select
        figure,
        month,
        'city' as area_level,
        {{ area_on('city', 'area_code') }} as area_code,
        layer,
        dimension,
        sum(value) as value
    from county
    group by figure, month, {{ area_on('city', 'area_code') }}, layer, dimension
),

-- Flows are known on each level: who moves within a township did not leave it.
flowed as (
    {%- for figure in figures_of('register_flow_area') %}
    select
        '{{ figure['figure'] }}' as figure,
        month,
        area_level,
        area_code,
        layer,
        'all' as dimension,
        cast(flow_count as decimal(18, 4)) as value
    from flow
    where {{ figure['expression'] }}
    union all
    {%- endfor %}
    select
        cast(null as string) as figure,
        month,
        area_level,
        area_code,
        layer,
        'all' as dimension,
        cast(flow_count as decimal(18, 4)) as value
    from flow
    where false
),

flow_layered as (
    select * from flowed
    union all
    select
        figure,
        month,
        area_level,
        area_code,
        'all' as layer,
        dimension,
        sum(value) as value
    from flowed
    group by figure, month, area_level, area_code, dimension
),

-- Totals of townships, counties and the city are told even where nothing happened.
empty as (
    select
        catalogue.figure,
        month.month,
        division.level as area_level,
        case division.level
            when 'township' then division.township_code
            when 'county' then division.county_code
            else substr(division.code, 1, 6)
        end as area_code,
        'all' as layer,
        'all' as dimension,
        cast(0 as decimal(18, 4)) as value
    from catalogue
    cross join month
    cross join division
    where
        division.level in ('township', 'county', 'city')
        and catalogue.numerator is null
        and (catalogue.split is null or catalogue.total)
),

told as (
    select * from village
    union all
    select * from township
    union all
    select * from county
    union all
    select * from city
    union all
    select * from flow_layered
    union all
    select * from empty
),

summed as (
    select
        figure,
        month,
        area_level,
        area_code,
        layer,
        dimension,
        cast(sum(value) as decimal(18, 4)) as value
    from told
    group by figure, month, area_level, area_code, layer, dimension
),

-- Whether the file that a figure rests on came in, in all counties of the area.
arrived as (
    select
        feed,
        month,
        county_code,
        is_arrived
    from feed_month
    union all
    select
        feed,
        month,
        'all' as county_code,
        bool_and(is_arrived) as is_arrived
    from feed_month
    group by feed, month
),

known as {{ step() }} (
    select
        summed.figure,
        summed.month,
        summed.area_level,
        summed.area_code,
        summed.layer,
        summed.dimension,
        catalogue.unit,
        coalesce(arrived.is_arrived, whole.is_arrived, true) as is_feed_arrived,
        -- No file is no zero; a register carried forward still says who is on it. Nobody is known to have come or gone
        -- in the first month of all.
        case
            when catalogue.source = 'register_flow_area' and summed.month = month.first_month then null
            when summed.value <> 0 or coalesce(arrived.is_arrived, whole.is_arrived, true) then summed.value
        end as value
    from summed
    inner join catalogue on summed.figure = catalogue.figure
    inner join month on summed.month = month.month
    left join arrived
        on
            catalogue.feed = arrived.feed
            and summed.month = arrived.month
            and {{ area_on('county', 'summed.area_code') }} = arrived.county_code
            and summed.area_level <> 'city'
    left join arrived as whole
        on
            catalogue.feed = whole.feed
            and summed.month = whole.month
            and whole.county_code = 'all'
),

rate as (
    select
        catalogue.figure,
        above.month,
        above.area_level,
        above.area_code,
        above.layer,
        above.dimension,
        catalogue.unit,
        above.is_feed_arrived and below.is_feed_arrived as is_feed_arrived,
        case
            when below.value <> 0 then {{ as_decimal('above.value / cast(below.value as double)', 18, 4) }}
        end as value,
        above.value as numerator,
        below.value as denominator
    from catalogue
    inner join known as above on catalogue.numerator = above.figure
    inner join known as below
        on
            catalogue.denominator = below.figure
            and above.month = below.month
            and above.area_level = below.area_level
            and above.area_code = below.area_code
            and above.layer = below.layer
            and above.dimension = below.dimension
    where catalogue.layers or above.layer = 'all'
),

final as (
    select
        figure,
        month,
        area_level,
        area_code,
        layer,
        dimension,
        unit,
        value,
        cast(null as decimal(18, 4)) as numerator,
        cast(null as decimal(18, 4)) as denominator,
        is_feed_arrived
    from known
    union all
    select
        figure,
        month,
        area_level,
        area_code,
        layer,
        dimension,
        unit,
        value,
        numerator,
        denominator,
        is_feed_arrived
    from rate
)

select * from final
