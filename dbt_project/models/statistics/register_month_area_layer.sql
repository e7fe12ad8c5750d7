{%- set columns = {
    'household_count': 'register_households',
    'person_count': 'register_persons',
    'child_count': 'register_children',
    'elderly_count': 'register_elderly',
    'disabled_count': 'register_disabled',
    'joined_person_count': 'persons_new',
    'left_person_count': 'persons_left',
    'changed_in_person_count': 'persons_changed_in',
    'changed_out_person_count': 'persons_changed_out',
    'moved_in_person_count': 'persons_moved_in',
    'moved_out_person_count': 'persons_moved_out',
} -%}
with
figure as (
    select * from {{ ref('figure_month_area') }}
    where
        {{ since_rebuild('month') }}
        and dimension = 'all'
        and layer <> 'all'
        and figure in (
            'register_amount',
            {%- for name in columns.values() %}
            '{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
),

month as (
    select
        month,
        min(month) over () as first_month
    from {{ ref('run_month') }}
),

final as (
    select
        figure.month,
        figure.area_level,
        figure.area_code,
        figure.layer,
        {%- for column, name in columns.items() %}
        {%- set value = "sum(case when figure.figure = '" ~ name ~ "' then figure.value end)" %}
        {%- set counted = "coalesce(cast(" ~ value ~ " as integer), 0)" %}
        {%- if '_person_count' in column %}
        -- Nobody is known to have come or gone in the first month of all.
        case when figure.month > month.first_month then {{ counted }} end as {{ column }},
        {%- else %}
        {{ counted }} as {{ column }},
        {%- endif %}
        {%- endfor %}
        coalesce({{ yuan("sum(case when figure.figure = 'register_amount' then figure.value end)") }}, 0) as amount_yuan
    from figure
    inner join month on figure.month = month.month
    group by figure.month, figure.area_level, figure.area_code, figure.layer, month.first_month
)

select * from final
