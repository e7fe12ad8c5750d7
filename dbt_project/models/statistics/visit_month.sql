with
visit as (
    select * from {{ ref('visit') }}
),

month as (
    select * from {{ ref('run_month') }}
),

household as (
    select
        month,
        household_id,
        village_code,
        register_layer
    from {{ ref('household_month') }}
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        visit.known_month as month,
        visit.visit_no,
        visit.visited_on,
        visit.outcome,
        {{ finding('visit.outcome') }} as finding,
        case
            when visit.alert_id is not null then 'alert'
            when visit.report_no is not null then 'report'
            else 'other'
        end as cause,
        visit.household_id,
        coalesce(visit.side, 'need') as side,
        coalesce(household.register_layer, 'none') as layer,
        place.village_code
    from visit
    inner join month on visit.known_month = month.month
    left join household on visit.known_month = household.month and visit.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
)

select * from final
