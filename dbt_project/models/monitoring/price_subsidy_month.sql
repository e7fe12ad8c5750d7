with
month as (
    select month from {{ ref('run_month') }}
),

index_row as (
    select
        month as price_month,
        cpi_yoy,
        food_yoy,
        low_income_yoy,
        valid_from as told_month,
        delivery_id,
        row_number
    from {{ ref('stg_statistics__price_index') }}
),

follow as (
    {{ city_policy('price_subsidy_follow_months') }}
),

-- A price month is looked at in its own month, as long as its payments are followed up, and whenever it is told anew.
looked_at as (
    select
        month.month,
        price.month as price_month
    from month
    inner join follow on month.month >= follow.month
    inner join month as price
        on
            follow.month = price.month
            and {{ months_between('price.month', 'month.month') }} <= follow.value
    union
    select
        greatest(index_row.told_month, index_row.price_month) as month,
        index_row.price_month
    from index_row
    inner join month as price on index_row.price_month = price.month
    inner join month on greatest(index_row.told_month, index_row.price_month) = month.month
),

-- What is known of a price month in a month: the newest that any delivery up to it tells.
told as (
    select
        looked_at.month,
        looked_at.price_month,
        index_row.cpi_yoy,
        index_row.food_yoy,
        index_row.low_income_yoy,
        index_row.delivery_id,
        index_row.row_number
    from looked_at
    left join index_row
        on looked_at.price_month = index_row.price_month and looked_at.month >= index_row.told_month
    qualify
        row_number() over (
            partition by looked_at.month, looked_at.price_month
            order by index_row.told_month desc nulls last, index_row.delivery_id desc, index_row.row_number desc
        ) = 1
),

base as (
    {{ policy_parameter('price_index_base') }}
),

cpi_line as (
    {{ policy_parameter('price_trigger_cpi') }}
),

food_line as (
    {{ policy_parameter('price_trigger_food') }}
),

measured as (
    select
        told.month,
        told.price_month,
        base.county_code,
        {{ yearly_growth('told.cpi_yoy', 'base.value') }} as cpi_growth_percent,
        cpi_line.value as cpi_line_percent,
        {{ yearly_growth('told.food_yoy', 'base.value') }} as food_growth_percent,
        food_line.value as food_line_percent,
        {{ yearly_growth('told.low_income_yoy', 'base.value') }} as low_income_growth_percent,
        told.delivery_id,
        told.row_number
    from told
    inner join base on told.price_month = base.month
    left join cpi_line on told.price_month = cpi_line.month and base.county_code = cpi_line.county_code
    left join food_line on told.price_month = food_line.month and base.county_code = food_line.county_code
),

-- One figure over its line is enough; that none is over needs both.
judged as (
    select
        *,
        coalesce(cpi_growth_percent >= cpi_line_percent, false) as is_over_cpi,
        coalesce(food_growth_percent >= food_line_percent, false) as is_over_food,
        cpi_growth_percent is not null and food_growth_percent is not null as is_told
    from measured
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

payment as (
    select
        payment.person_key,
        payment.benefit_month,
        payment.known_month,
        payment.amount_yuan,
        household.county_code
    from {{ ref('person_payment') }} as payment
    inner join member on payment.benefit_month = member.month and payment.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    where payment.benefit = 'WJ' and payment.is_paid
),

paid as (
    select
        looked_at.month,
        looked_at.price_month,
        payment.county_code,
        count(distinct payment.person_key) as paid_person_count,
        sum(payment.amount_yuan) as amount_paid_yuan
    from looked_at
    inner join payment
        on looked_at.price_month = payment.benefit_month and looked_at.month >= payment.known_month
    group by looked_at.month, looked_at.price_month, payment.county_code
),

decided as (
    select
        *,
        case
            when is_over_cpi or is_over_food then 'triggered'
            when is_told then 'not_triggered'
            else 'unknown'
        end as trigger_status
    from judged
),

final as (
    select
        decided.month,
        decided.price_month,
        decided.county_code,
        decided.trigger_status,
        case
            when decided.is_over_cpi and decided.is_over_food then 'both'
            when decided.is_over_cpi then 'cpi'
            when decided.is_over_food then 'food'
        end as triggered_by,
        decided.cpi_growth_percent,
        decided.cpi_line_percent,
        decided.food_growth_percent,
        decided.food_line_percent,
        decided.low_income_growth_percent,
        cast(coalesce(paid.paid_person_count, 0) as integer) as paid_person_count,
        {{ yuan('coalesce(paid.amount_paid_yuan, 0)') }} as amount_paid_yuan,
        decided.trigger_status = 'not_triggered' and coalesce(paid.paid_person_count, 0) > 0 as is_paid_without_trigger,
        decided.delivery_id,
        decided.row_number
    from decided
    left join paid
        on
            decided.month = paid.month
            and decided.price_month = paid.price_month
            and decided.county_code = paid.county_code
)

select * from final
