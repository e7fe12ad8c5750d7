{%- set levels = {
    'village': 'village_code', 'township': 'township_code', 'county': 'county_code', 'city': 'city_code'
} -%}
with
elder as (
    select
        *,
        concat(substring(county_code, 1, 4), '00') as city_code
    from {{ ref('elder_visit_month') }}
    where {{ since_rebuild('month') }}
),

placed as (
    {% for level, column in levels.items() %}
    select
        month,
        '{{ level }}' as area_level,
        coalesce({{ column }}, 'unknown') as area_code,
        is_registered,
        not_due_reason,
        is_visit_due,
        visit_status,
        is_candidate
    from elder
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        month,
        area_level,
        area_code,
        cast(sum(case when is_registered then 1 else 0 end) as integer) as registered_count,
        cast(sum(case when is_registered and not_due_reason is not null then 1 else 0 end) as integer)
            as to_be_removed_count,
        cast(sum(case when is_visit_due then 1 else 0 end) as integer) as due_count,
        cast(sum(case when visit_status = 'done' then 1 else 0 end) as integer) as done_count,
        cast(sum(case when visit_status = 'missed' then 1 else 0 end) as integer) as missed_count,
        cast(sum(case when visit_status = 'unknown' then 1 else 0 end) as integer) as unknown_count,
        cast(sum(case when is_candidate then 1 else 0 end) as integer) as candidate_count
    from placed
    group by month, area_level, area_code
),

final as (
    select
        *,
        -- Of those of whom it is known: what was not told is neither done nor missed.
        case when done_count + missed_count > 0 then cast(done_count as double) / (done_count + missed_count) end
            as done_ratio
    from counted
)

select * from final
