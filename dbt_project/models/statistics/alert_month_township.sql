{%- set columns = {
    'alert_count': 'alerts_standing',
    'listed_count': 'alerts_listed',
    'new_count': 'alerts_new',
    'overdue_count': 'alerts_overdue',
    'answered_count': 'alerts_answered',
    'answered_in_time_count': 'alerts_answered_in_time',
    'visited_count': 'funnel_visited',
    'confirmed_count': 'funnel_confirmed',
    'enrolled_count': 'funnel_enrolled',
    'aided_count': 'funnel_aided',
    'referred_count': 'funnel_referred',
    'stopped_count': 'funnel_stopped',
    'silenced_count': 'alerts_silenced',
    'put_off_count': 'alerts_put_off',
} -%}
with
figure as (
    select * from {{ ref('figure_month_area') }}
    where
        {{ since_rebuild('month') }}
        and area_level = 'township'
        and layer = 'all'
        and dimension in ('need', 'exit')
        and figure in (
            {%- for name in columns.values() %}
            '{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
),

final as (
    select
        month,
        area_code as township_code,
        {%- for column, name in columns.items() %}
        {%- set value = "sum(case when figure = '" ~ name ~ "' then value end)" %}
        coalesce(cast({{ value }} as integer), 0) as {{ column }},
        {%- endfor %}
        dimension as side
    from figure
    group by month, area_code, dimension
)

select * from final
