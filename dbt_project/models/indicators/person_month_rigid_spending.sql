with
medical as (
    select * from {{ ref('person_month_spending') }}
    where {{ since_rebuild('month') }}
),

spending as (
    select * from {{ ref('person_month_means') }}
    where
        kind = 'spending'
        and item in ('tuition', 'disaster_loss')
        and {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

-- The year's tuition by twelfths, summed before it is divided, so that a year comes out at what it cost.
other as (
    select
        month.month,
        spending.person_key,
        cast(sum(case when spending.item = 'tuition' then spending.gross_yuan else 0 end) as double)
        / 12 as tuition_12m_yuan,
        sum(case when spending.item = 'disaster_loss' then spending.gross_yuan else 0 end) as disaster_loss_12m_yuan
    from spending
    inner join month
        on
            spending.month <= month.month
            and {{ months_between('spending.month', 'month.month') }}
            <= {{ months_before('rigid_spending_window_months') }}
    group by month.month, spending.person_key
),

final as (
    select
        coalesce(medical.month, other.month) as month,
        coalesce(medical.person_key, other.person_key) as person_key,
        {{ yuan('coalesce(medical.out_of_pocket_12m_yuan, 0)') }} as medical_12m_yuan,
        {{ yuan('coalesce(other.tuition_12m_yuan, 0)') }} as tuition_12m_yuan,
        {{ yuan('coalesce(other.disaster_loss_12m_yuan, 0)') }} as disaster_loss_12m_yuan
    from medical
    full outer join other
        on
            medical.month = other.month
            and medical.person_key = other.person_key
)

select * from final
