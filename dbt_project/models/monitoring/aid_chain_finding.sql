with
finding as (
    select * from {{ ref('payment_gap') }}
    union all
    select * from {{ ref('aid_double') }}
),

run as (
    select
        min(month) as first_month,
        max(month) as last_month
    from {{ ref('run_month') }}
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

dated as (
    select
        finding.*,
        least(greatest(finding.last_month, run.first_month), run.last_month) as household_month
    from finding
    cross join run
),

final as (
    select
        dated.person_key,
        member.household_id,
        dated.kind,
        case
            when dated.kind in ('payment_gap', 'payment_returned') then 'gap'
            when dated.kind = 'payment_late' then 'late'
            else 'double'
        end as finding,
        dated.benefit,
        dated.first_month,
        dated.last_month,
        cast(dated.month_count as integer) as month_count,
        {{ yuan('dated.amount_yuan') }} as amount_yuan,
        dated.known_month,
        dated.evidence
    from dated
    left join member on dated.household_month = member.month and dated.person_key = member.person_key
)

select * from final
