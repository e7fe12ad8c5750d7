{#
    What a family has, spends and owns: one text for households, certificates and requests for a means check.

    A family is any relation with (family_id, month, person_key, is_counted, county_code, area_type), one row per month,
    family and person. Money comes from those who count; each person brings along what was found of them in the months
    before, wherever they lived then.
#}

{#
    Months of a window before the current one, as a literal: frames of window functions take no column. A number of
    months is one for the whole city and all months of a run, that of the newest month.
#}
{% macro months_before(parameter) -%}
    {{ adapter.dispatch('months_before')(parameter) }}
{%- endmacro %}

{# Read where the source lies, not as the source: in a unit test that is a table of the test's own. #}
{% macro default__months_before(parameter) -%}
    {%- set parameter_month = "read_parquet('" ~ env_var('ZHAOREN_REFERENCE', '') ~ "/parameter_month.parquet')" -%}
    {%- set resolved -%}
        select cast(max(value) as integer) - 1 as months from {{ parameter_month }}
        where parameter = '{{ parameter }}'
        and month = (select max(month) from {{ parameter_month }})
    {%- endset -%}
    {{ run_query(resolved).rows[0]['months'] if execute else 0 }}
{%- endmacro %}

{# The months of such a window with the current one, and a month so many back. #}
{% macro months_of_window(parameter) -%}
    {{ months_before(parameter) | int + 1 }}
{%- endmacro %}

{% macro window_back(month, parameter) -%}
    {{ add_months(month, '-' ~ months_of_window(parameter)) }}
{%- endmacro %}

{# Income, spending and property of each family with the limits of its place: one row per month and family. #}
{% macro family_means(family) %}
    with
    means_member as (
        select distinct
            month,
            family_id,
            person_key
        from {{ family }}
        where is_counted
    ),

    means_family as (
        select
            month,
            family_id,
            max(county_code) as county_code,
            max(area_type) as area_type,
            cast(count(distinct case when is_counted then person_key end) as integer) as counted_member_count
        from {{ family }}
        group by month, family_id
    ),

    means_income as (
        select
            means_member.month,
            means_member.family_id,
            cast(sum(income.income_mean_yuan) as decimal(18, 4)) as income_mean_yuan,
            cast(sum(income.gross_mean_yuan) as decimal(18, 4)) as gross_mean_yuan,
            sum(income.income_12m_yuan) as income_12m_yuan
        from means_member
        inner join {{ ref('person_month_income_window') }} as income
            on
                means_member.month = income.month
                and means_member.person_key = income.person_key
        group by means_member.month, means_member.family_id
    ),

    means_spending as (
        select
            means_member.month,
            means_member.family_id,
            sum(spending.medical_12m_yuan) as medical_12m_yuan,
            sum(spending.tuition_12m_yuan) as tuition_12m_yuan,
            sum(spending.disaster_loss_12m_yuan) as disaster_loss_12m_yuan
        from means_member
        inner join {{ ref('person_month_rigid_spending') }} as spending
            on
                means_member.month = spending.month
                and means_member.person_key = spending.person_key
        group by means_member.month, means_member.family_id
    ),

    means_property as (
        {{ family_property('means_member') }}
    ),

    means_limit as (
        {{ property_limit() }}
    ),

    means_compared as (
        select
            means_family.*,
            source.income_observed_count,
            source.income_observed_12m_count,
            source.month_12m_count,
            source.medical_observed_12m_count,
            source.is_property_complete,
            source.missing_sources,
            coalesce(means_income.income_mean_yuan, 0) as income_mean_yuan,
            coalesce(means_income.gross_mean_yuan, 0) as gross_mean_yuan,
            coalesce(means_income.income_12m_yuan, 0) as income_12m_yuan,
            coalesce(means_spending.medical_12m_yuan, 0) as medical_12m_yuan,
            coalesce(means_spending.tuition_12m_yuan, 0) as tuition_12m_yuan,
            coalesce(means_spending.disaster_loss_12m_yuan, 0) as disaster_loss_12m_yuan,
            coalesce(means_property.home_count, 0) as home_count,
            coalesce(means_property.home_area_m2, 0) as home_area_m2,
            coalesce(means_property.car_count, 0) as car_count,
            means_property.highest_car_price_yuan,
            coalesce(means_property.business_count, 0) as business_count,
            means_property.highest_capital_yuan,
            coalesce(means_property.employee_count, 0) as employee_count,
            coalesce(means_property.deposit_yuan, 0) as deposit_yuan,
            means_limit.home_area_pc * means_family.counted_member_count as home_area_limit_m2,
            means_limit.deposit_pc as deposit_limit_pc_yuan,
            {{ is_over_limit('means_property', 'means_limit', 'means_family.counted_member_count') }}
        from means_family
        inner join {{ ref('means_source_month') }} as source
            on
                means_family.month = source.month
                and means_family.county_code = source.county_code
        inner join means_limit
            on
                means_family.month = means_limit.month
                and means_family.county_code = means_limit.county_code
                and means_family.area_type = means_limit.area_type
        left join means_income
            on
                means_family.month = means_income.month
                and means_family.family_id = means_income.family_id
        left join means_spending
            on
                means_family.month = means_spending.month
                and means_family.family_id = means_spending.family_id
        left join means_property
            on
                means_family.month = means_property.month
                and means_family.family_id = means_property.family_id
    ),

    means_summed as (
        select
            *,
            greatest(medical_12m_yuan, 0) + tuition_12m_yuan + disaster_loss_12m_yuan as rigid_spending_12m_yuan,
            concat_ws(
                ',',
                case when is_car_over then 'car' end,
                case when is_business_over then 'business' end,
                case when is_home_over then 'home' end,
                case when is_deposit_over then 'deposit' end
            ) as broken_limits
        from means_compared
    )

    select
        month,
        family_id,
        county_code,
        area_type,
        counted_member_count,
        income_observed_count > 0 as is_income_known,
        income_observed_count,
        -- Where no month of the window had its sources, income is not known; that is no zero.
        case when income_observed_count > 0 then {{ yuan('gross_mean_yuan') }} end as gross_income_yuan,
        case
            when income_observed_count > 0 then {{ yuan('gross_mean_yuan - income_mean_yuan') }}
        end as work_cost_deduction_yuan,
        -- Exact to a hundredth of a cent: an income at the line is not below it.
        case when income_observed_count > 0 then income_mean_yuan end as income_yuan,
        case
            when income_observed_count > 0 and counted_member_count > 0
                then {{ yuan('income_mean_yuan / counted_member_count') }}
        end as income_pc_yuan,
        {{ yuan('income_12m_yuan') }} as income_12m_yuan,
        income_observed_12m_count,
        {{ yuan('medical_12m_yuan') }} as medical_12m_yuan,
        {{ yuan('tuition_12m_yuan') }} as tuition_12m_yuan,
        {{ yuan('disaster_loss_12m_yuan') }} as disaster_loss_12m_yuan,
        {{ yuan('rigid_spending_12m_yuan') }} as rigid_spending_12m_yuan,
        medical_observed_12m_count,
        -- Months whose income sources did not come had an income too: that of the others stands for them.
        case
            when income_observed_12m_count > 0
                then {{ yuan('income_12m_yuan * month_12m_count / income_observed_12m_count') }}
        end as rigid_base_yuan,
        case
            when income_12m_yuan > 0
                then
                    cast(rigid_spending_12m_yuan * income_observed_12m_count as double)
                    / cast(income_12m_yuan * month_12m_count as double)
        end as rigid_spending_ratio,
        cast(home_count as integer) as home_count,
        cast(home_area_m2 as double) as home_area_m2,
        cast(home_area_limit_m2 as double) as home_area_limit_m2,
        cast(car_count as integer) as car_count,
        highest_car_price_yuan,
        cast(business_count as integer) as business_count,
        highest_capital_yuan,
        cast(employee_count as integer) as employee_count,
        {{ yuan('deposit_yuan') }} as deposit_yuan,
        case when counted_member_count > 0 then {{ yuan('deposit_yuan / counted_member_count') }} end as deposit_pc_yuan,
        {{ yuan('deposit_limit_pc_yuan') }} as deposit_limit_pc_yuan,
        is_property_complete,
        broken_limits = '' as is_within_property_limit,
        broken_limits,
        missing_sources
    from means_summed
{% endmacro %}

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
    select
        place.month,
        place.county_code,
        area.area_type,
        {%- for parameter, column in limits.items() %}
        max(case when place.parameter = '{{ parameter }}' then place.value end) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('reference', 'parameter_month') }} as place
    inner join (values ('urban'), ('rural')) as area (area_type)
        on place.dimension_key in ('', area.area_type)
    where place.parameter in ('{{ limits.keys() | join("', '") }}')
    group by place.month, place.county_code, area.area_type
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

{# The columns of `family_means` but for month and family. #}
{% macro means_columns(means) -%}
    {%- for column in [
        'county_code', 'area_type', 'counted_member_count', 'is_income_known', 'income_observed_count',
        'gross_income_yuan', 'work_cost_deduction_yuan', 'income_yuan', 'income_pc_yuan', 'income_12m_yuan',
        'income_observed_12m_count', 'medical_12m_yuan', 'tuition_12m_yuan', 'disaster_loss_12m_yuan',
        'rigid_spending_12m_yuan', 'medical_observed_12m_count', 'rigid_base_yuan',
        'rigid_spending_ratio', 'home_count', 'home_area_m2',
        'home_area_limit_m2', 'car_count', 'highest_car_price_yuan', 'business_count', 'highest_capital_yuan',
        'employee_count', 'deposit_yuan', 'deposit_pc_yuan', 'deposit_limit_pc_yuan', 'is_property_complete',
        'is_within_property_limit', 'broken_limits', 'missing_sources'
    ] -%}
    {{ means }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

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

{# Whether a row of `person_month_means` is in the window that a month's figure of its kind rests on. #}
{% macro is_in_means_window(means, month) -%}
    {{ months_between(means ~ '.month', month) }} <= case {{ means }}.kind
        when 'property' then 0
        when 'spending' then {{ months_before('rigid_spending_window_months') }}
        else {{ months_before('means_income_months') }}
    end
{%- endmacro %}

{# What each kind of means rests on. Real income is told by the first two: without either nothing is known. #}
{% macro means_source() %}
    select
        rule.kind,
        rule.feed,
        rule.is_leading
    from (
        values
        ('income', 'income_tax', true),
        ('income', 'social_insurance', true),
        ('income', 'pension_payment', false),
        ('income', 'unemployment_register', false),
        ('property', 'property_register', false),
        ('property', 'vehicle_register', false),
        ('property', 'business_register', false),
        ('property', 'housing_fund', false),
        ('spending', 'medical_settlement', false),
        ('spending', 'student_register', false)
    ) as rule (kind, feed, is_leading)
{% endmacro %}
