with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['household_history_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

payment as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

grant_made as (
    select * from {{ ref('person_temporary_assistance') }}
),

paid as (
    select
        member.month,
        member.household_id,
        sum(case when payment.benefit = 'DB' then payment.amount_yuan else 0 end) as dibao_yuan,
        sum(case when payment.benefit in ('TK', 'HL') then payment.amount_yuan else 0 end) as destitute_yuan,
        sum(case when payment.benefit in ('CS', 'CH') then payment.amount_yuan else 0 end) as disability_yuan,
        sum(case when payment.benefit in ('GE', 'SS') then payment.amount_yuan else 0 end) as child_yuan,
        sum(case when payment.benefit = 'GL' then payment.amount_yuan else 0 end) as old_age_yuan,
        sum(case when payment.benefit = 'WJ' then payment.amount_yuan else 0 end) as price_subsidy_yuan,
        -- Temporary aid is told by its own feed too; there it is counted.
        sum(case when payment.benefit <> 'LS' then payment.amount_yuan else 0 end) as paid_yuan
    from payment
    inner join member
        on
            payment.known_month = member.month
            and payment.person_key = member.person_key
    group by member.month, member.household_id
),

granted as (
    select
        member.month,
        member.household_id,
        sum(grant_made.amount_yuan) as granted_yuan,
        count(*) as grant_count
    from grant_made
    inner join member
        on
            grant_made.known_month = member.month
            and grant_made.person_key = member.person_key
    group by member.month, member.household_id
),

received as (
    select
        month,
        household_id,
        sum(yuan) as paid_yuan
    from (
        select
            month,
            household_id,
            paid_yuan as yuan
        from paid
        union all
        select
            month,
            household_id,
            granted_yuan as yuan
        from granted
    ) as either
    group by month, household_id
),

-- When a household was last paid before the months that are read.
paid_before as (
    select
        household_id,
        max({{ month_number('month') }}) as last_paid_number
    from received
    where paid_yuan > 0 and not {{ since_rebuild('month', windows=['household_history_months']) }}
    group by household_id
),

monthly as (
    select
        household.month,
        month.month_number,
        household.household_id,
        coalesce(paid.dibao_yuan, 0) as dibao_yuan,
        coalesce(paid.destitute_yuan, 0) as destitute_yuan,
        coalesce(paid.disability_yuan, 0) as disability_yuan,
        coalesce(paid.child_yuan, 0) as child_yuan,
        coalesce(paid.old_age_yuan, 0) as old_age_yuan,
        coalesce(granted.granted_yuan, 0) as temporary_yuan,
        coalesce(paid.price_subsidy_yuan, 0) as price_subsidy_yuan,
        coalesce(paid.paid_yuan, 0) + coalesce(granted.granted_yuan, 0) as paid_yuan,
        coalesce(granted.grant_count, 0) as grant_count
    from household
    inner join month
        on household.month = month.month
    left join paid
        on
            household.month = paid.month
            and household.household_id = paid.household_id
    left join granted
        on
            household.month = granted.month
            and household.household_id = granted.household_id
),

windowed as (
    select
        *,
        sum(paid_yuan) over year_back as paid_12m_yuan,
        sum(grant_count) over year_back as temporary_12m_count,
        max(case when paid_yuan > 0 then month_number end) over so_far as last_paid_number
    from monthly
    window
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        so_far as (
            partition by household_id
            order by month_number
            range between unbounded preceding and current row
        )
),

final as (
    select
        windowed.month,
        windowed.household_id,
        {{ yuan('windowed.dibao_yuan') }} as dibao_paid_yuan,
        {{ yuan('windowed.destitute_yuan') }} as destitute_paid_yuan,
        {{ yuan('windowed.disability_yuan') }} as disability_paid_yuan,
        {{ yuan('windowed.child_yuan') }} as child_paid_yuan,
        {{ yuan('windowed.old_age_yuan') }} as old_age_paid_yuan,
        {{ yuan('windowed.temporary_yuan') }} as temporary_paid_yuan,
        {{ yuan('windowed.price_subsidy_yuan') }} as price_subsidy_paid_yuan,
        {{ yuan('windowed.paid_yuan') }} as paid_yuan,
        {{ yuan('windowed.paid_12m_yuan') }} as paid_12m_yuan,
        cast(windowed.temporary_12m_count as integer) as temporary_12m_count,
        cast(
            windowed.month_number - coalesce(windowed.last_paid_number, paid_before.last_paid_number) as integer
        ) as months_since_paid
    from windowed
    left join paid_before
        on windowed.household_id = paid_before.household_id
)

select * from final
