{%- set levels = {
    'village': 'village_code', 'township': 'township_code', 'county': 'county_code', 'city': 'city_code'
} -%}
with
person as (
    select
        *,
        concat(substring(county_code, 1, 4), '00') as city_code
    from {{ ref('register_person_month') }}
),

certificate as (
    select
        *,
        concat(substring(county_code, 1, 4), '00') as city_code
    from {{ ref('benefit_household_month') }}
),

month as (
    select
        month,
        min(month) over () as first_month
    from {{ ref('run_month') }}
),

{% for level, column in levels.items() %}
-- Everybody of this month and of the month before in the same {{ level }} and layer, side by side.
flow_{{ level }} as (
    select
        coalesce(person.month, {{ add_months('before.month', 1) }}) as month,
        coalesce(person.{{ column }}, before.{{ column }}) as area_code,
        coalesce(person.layer, before.layer) as layer,
        person.person_key,
        before.person_key as before_person_key
    from person
    full outer join person as before
        on
            person.month = {{ add_months('before.month', 1) }}
            and person.person_key = before.person_key
            and person.layer = before.layer
            and person.{{ column }} = before.{{ column }}
),

{% endfor %}
counted as (
    {% for level, column in levels.items() %}
    select
        month,
        '{{ level }}' as area_level,
        area_code,
        layer,
        count(person_key) as person_count,
        sum(case when before_person_key is null then 1 else 0 end) as joined_person_count,
        sum(case when person_key is null then 1 else 0 end) as left_person_count,
        0 as household_count,
        0 as amount_yuan
    from flow_{{ level }}
    group by month, area_code, layer
    union all
    select
        month,
        '{{ level }}' as area_level,
        {{ column }} as area_code,
        layer,
        0 as person_count,
        0 as joined_person_count,
        0 as left_person_count,
        count(*) as household_count,
        sum(coalesce(monthly_amount_yuan, 0)) as amount_yuan
    from certificate
    group by month, {{ column }}, layer
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        counted.month,
        counted.area_level,
        counted.area_code,
        counted.layer,
        cast(sum(counted.household_count) as integer) as household_count,
        cast(sum(counted.person_count) as integer) as person_count,
        {{ yuan('sum(counted.amount_yuan)') }} as amount_yuan,
        -- Nobody is known to have joined in the first month of all.
        case
            when counted.month > month.first_month then cast(sum(counted.joined_person_count) as integer)
        end as joined_person_count,
        case
            when counted.month > month.first_month then cast(sum(counted.left_person_count) as integer)
        end as left_person_count
    from counted
    inner join month on counted.month = month.month
    group by counted.month, counted.area_level, counted.area_code, counted.layer, month.first_month
)

select * from final
