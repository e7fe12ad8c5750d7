{%- set levels = {
    'village': 'village_code', 'township': 'township_code', 'county': 'county_code', 'city': 'city_code'
} -%}
with
payee as (
    select
        *,
        concat(substring(county_code, 1, 4), '00') as city_code
    from {{ ref('price_subsidy_payee') }}
    where {{ since_rebuild('month') }}
),

placed as (
    {% for level, column in levels.items() %}
    select
        month,
        price_month,
        '{{ level }}' as area_level,
        coalesce({{ column }}, 'unknown') as area_code,
        coalesce(subsidy_group, 'none') as subsidy_group,
        amount_due_yuan,
        amount_paid_yuan,
        payment_status
    from payee
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        month,
        price_month,
        area_level,
        area_code,
        subsidy_group,
        cast(sum(case when payment_status <> 'undue' then 1 else 0 end) as integer) as payee_count,
        {{ yuan('sum(coalesce(amount_due_yuan, 0))') }} as amount_due_yuan,
        {{ yuan('sum(amount_paid_yuan)') }} as amount_paid_yuan,
        cast(sum(case when payment_status = 'paid' then 1 else 0 end) as integer) as paid_count,
        cast(sum(case when payment_status = 'missing' then 1 else 0 end) as integer) as missing_count,
        cast(sum(case when payment_status in ('double', 'too_much', 'undue') then 1 else 0 end) as integer)
            as overpaid_count
    from placed
    group by month, price_month, area_level, area_code, subsidy_group
)

select * from final
