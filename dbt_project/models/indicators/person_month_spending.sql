with
settlement as (
    select * from {{ ref('person_medical_settlement') }}
    where {{ since_rebuild('settled_month', windows=['rigid_spending_window_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
),

monthly as (
    select
        person_key,
        settled_month as month,
        sum(out_of_pocket_yuan) as out_of_pocket_yuan,
        max(case when care_type = '3' then out_of_pocket_yuan end) as highest_stay_yuan
    from settlement
    group by person_key, settled_month
),

patient as (
    select distinct person_key from monthly
),

spine as (
    select
        member.month,
        month.month_number,
        member.household_id,
        member.person_key,
        coalesce(monthly.out_of_pocket_yuan, 0) as out_of_pocket_yuan,
        coalesce(monthly.highest_stay_yuan, 0) as highest_stay_yuan
    from member
    inner join patient
        on member.person_key = patient.person_key
    inner join month
        on member.month = month.month
    left join monthly
        on
            member.month = monthly.month
            and member.person_key = monthly.person_key
),

windowed as (
    select
        *,
        sum(out_of_pocket_yuan) over (
            partition by person_key
            order by month_number
            range between {{ months_before('rigid_spending_window_months') }} preceding and current row
        ) as out_of_pocket_12m_yuan
    from spine
),

final as (
    select
        month,
        person_key,
        household_id,
        {{ yuan('out_of_pocket_yuan') }} as out_of_pocket_yuan,
        {{ yuan('out_of_pocket_12m_yuan') }} as out_of_pocket_12m_yuan,
        {{ yuan('highest_stay_yuan') }} as highest_stay_out_of_pocket_yuan
    from windowed
    where out_of_pocket_yuan <> 0 or out_of_pocket_12m_yuan <> 0
)

select * from final
