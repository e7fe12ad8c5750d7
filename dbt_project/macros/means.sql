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
    {%- set parameter_month = parquet_at(env_var('ZHAOREN_REFERENCE', '') ~ '/parameter_month.parquet') -%}
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

{# The longest of those windows in any month of the run, as a literal: how far back a table has to be read. #}
{% macro longest_window(parameters) -%}
    {{ adapter.dispatch('longest_window')(parameters) }}
{%- endmacro %}

{% macro default__longest_window(parameters) -%}
    {%- set question = 'longest_window ' ~ parameters | join(' ') -%}
    {%- if execute -%}
        {{ remembered(question) or remember(question, asked_longest_window(parameters)) }}
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}

{% macro asked_longest_window(parameters) -%}
    {%- set resolved -%}
        select cast(max(value) as integer) as months
        from {{ parquet_at(env_var('ZHAOREN_REFERENCE', '') ~ '/parameter_month.parquet') }}
        where parameter in ('{{ parameters | join("', '") }}')
    {%- endset -%}
    {{ return(run_query(resolved).rows[0]['months']) }}
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
                then {{ yuan('cast(income_mean_yuan as double) / counted_member_count') }}
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
                then {{ yuan('cast(income_12m_yuan * month_12m_count as double) / income_observed_12m_count') }}
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
        case when counted_member_count > 0 then {{ yuan('cast(deposit_yuan as double) / counted_member_count') }} end as deposit_pc_yuan,
        {{ yuan('deposit_limit_pc_yuan') }} as deposit_limit_pc_yuan,
        is_property_complete,
        broken_limits = '' as is_within_property_limit,
        broken_limits,
        missing_sources
    from means_summed
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
