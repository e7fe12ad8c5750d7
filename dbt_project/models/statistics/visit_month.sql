with
visit as (
    select
        known_month as month,
        visit_no,
        visited_on,
        outcome,
        {{ finding('outcome') }} as finding,
        case
            when alert_id is not null then 'alert'
            when report_no is not null then 'report'
            else 'other'
        end as cause,
        household_id,
        coalesce(side, 'need') as side
    from {{ ref('visit') }}
    where {{ since_rebuild('known_month') }}
),

final as (
    {{ told_at_home('visit') }}
)

select * from final
