{# What families own, the limits of policy, and which of them are broken. #}

{#
    What the members of a relation (month, family_id, person_key) own together: one row per month and family that owns
    anything. Homes by share and each once, deposits added up, of cars and businesses the dearest.
#}
{% macro family_property(member) %}
    select
        {{ member }}.month,
        {{ member }}.family_id,
        count(distinct case when means.item = 'home' then means.item_no end) as home_count,
        sum(case when means.item = 'home' then means.area_m2 end) as home_area_m2,
        count(distinct case when means.item = 'car' and means.reason is null then means.item_no end) as car_count,
        max(case when means.item = 'car' and means.reason is null then means.gross_yuan end) as highest_car_price_yuan,
        count(distinct case when means.item = 'enterprise' then means.item_no end) as business_count,
        max(case when means.item = 'enterprise' then means.gross_yuan end) as highest_capital_yuan,
        max(case when means.item = 'enterprise' then means.employee_count end) as highest_employee_count,
        sum(case when means.item = 'enterprise' then means.employee_count end) as employee_count,
        sum(case when means.item = 'deposit' then means.gross_yuan end) as deposit_yuan
    from {{ member }}
    inner join {{ ref('person_month_means') }} as means
        on
            {{ member }}.month = means.month
            and {{ member }}.person_key = means.person_key
            and means.kind = 'property'
    group by {{ member }}.month, {{ member }}.family_id
{% endmacro %}

{# The limits of property by month, county and kind of area, all in one row. #}
{% macro property_limit() %}
    {%- set limits = {
        'allowed_car_count': 'car_count',
        'car_price_limit': 'car_price',
        'home_count_limit': 'home_count',
        'home_area_limit_pc': 'home_area_pc',
        'business_capital_limit': 'capital',
        'business_employee_limit': 'employee_count',
        'deposit_limit_pc': 'deposit_pc',
    } -%}
    {{ policy_columns(limits) }}
{% endmacro %}

{# Which limits a family's property breaks, as columns; a family that owns nothing breaks none. #}
{% macro is_over_limit(property, limit, head_count) %}
            coalesce(
                {{ property }}.car_count > {{ limit }}.car_count
                or {{ property }}.highest_car_price_yuan > {{ limit }}.car_price,
                false
            ) as is_car_over,
            coalesce(
                {{ property }}.highest_capital_yuan > {{ limit }}.capital
                or {{ property }}.highest_employee_count > {{ limit }}.employee_count,
                false
            ) as is_business_over,
            coalesce(
                {{ property }}.home_count >= {{ limit }}.home_count
                and {{ property }}.home_area_m2 > {{ limit }}.home_area_pc * {{ head_count }},
                false
            ) as is_home_over,
            coalesce(
                {{ property }}.deposit_yuan > {{ limit }}.deposit_pc * {{ head_count }},
                false
            ) as is_deposit_over
{% endmacro %}

{#
    Limits of property that families break: one row per month, family and kind, with what was found, the limit, whose it
    is and the rows that tell of it. `rank` goes from what is easiest to prove to what is hardest.
#}
{% macro property_breach(family) %}
    with
    breach_member as (
        select distinct
            month,
            family_id,
            person_key
        from {{ family }}
        where is_counted
    ),

    breach_family as (
        select
            month,
            family_id,
            max(county_code) as county_code,
            max(area_type) as area_type,
            count(distinct person_key) as head_count
        from {{ family }}
        where is_counted
        group by month, family_id
    ),

    breach_property as (
        {{ family_property('breach_member') }}
    ),

    breach_limit as (
        {{ property_limit() }}
    ),

    breach_compared as (
        select
            breach_family.month,
            breach_family.family_id,
            breach_family.head_count,
            breach_limit.car_price,
            breach_limit.capital,
            breach_limit.home_area_pc,
            breach_limit.deposit_pc,
            breach_property.highest_car_price_yuan,
            breach_property.highest_capital_yuan,
            breach_property.home_area_m2,
            breach_property.deposit_yuan,
            {{ is_over_limit('breach_property', 'breach_limit', 'breach_family.head_count') }}
        from breach_family
        inner join breach_property
            on
                breach_family.month = breach_property.month
                and breach_family.family_id = breach_property.family_id
        inner join breach_limit
            on
                breach_family.month = breach_limit.month
                and breach_family.county_code = breach_limit.county_code
                and breach_family.area_type = breach_limit.area_type
    ),

    breach_kind as (
        {%- for kind, item, value, limit in [
            ('car', 'car', 'coalesce(highest_car_price_yuan, 0)', 'car_price'),
            ('business', 'enterprise', 'coalesce(highest_capital_yuan, 0)', 'capital'),
            ('home', 'home', 'home_area_m2', 'home_area_pc * head_count'),
            ('deposit', 'deposit', 'deposit_yuan', 'deposit_pc * head_count'),
        ] %}
        select
            month,
            family_id,
            '{{ kind }}' as kind,
            '{{ item }}' as item,
            {{ loop.index }} as rank,
            {{ value }} as value,
            {{ limit }} as limit_value
        from breach_compared
        where is_{{ kind }}_over
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )

    select
        breach_kind.month,
        breach_kind.family_id,
        breach_kind.kind,
        breach_kind.rank,
        breach_kind.value,
        breach_kind.limit_value,
        {{ value_at_max(
            'means.person_key', 'coalesce(means.gross_yuan, means.area_m2, 0)'
        ) }} as person_key,
        {{ evidence_list('means.delivery_id', 'means.row_number') }} as evidence
    from breach_kind
    inner join breach_member
        on
            breach_kind.month = breach_member.month
            and breach_kind.family_id = breach_member.family_id
    inner join {{ ref('person_month_means') }} as means
        on
            breach_member.month = means.month
            and breach_member.person_key = means.person_key
            and breach_kind.item = means.item
            and means.kind = 'property'
            and means.reason is null
    group by
        breach_kind.month,
        breach_kind.family_id,
        breach_kind.kind,
        breach_kind.rank,
        breach_kind.value,
        breach_kind.limit_value
{% endmacro %}
