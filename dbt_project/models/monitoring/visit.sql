with
told as (
    select * from {{ ref('person_visit') }}
),

household as (
    select
        month,
        household_id
    from {{ ref('household_month') }}
),

side as (
    select distinct side from {{ source('reference', 'indicator') }}
),

-- One row where any visit came back under a number of ours, none where the work below would be in vain.
numbered_visit as (
    select max(visit_no) as visit_no
    from told
    where visit_no like 'N-%' or visit_no like 'X-%'
    having count(*) > 0
),

-- The number of an alert is made of household, side and first month, so that a visit finds its household by number.
numbered as (
    select
        household.household_id,
        side.side,
        {{ alert_number('side.side', 'household.household_id', 'household.month') }} as alert_id
    from household
    cross join side
    cross join numbered_visit
),

final as (
    select
        told.visit_no,
        numbered.alert_id,
        numbered.side,
        coalesce(numbered.household_id, told.household_id) as household_id,
        told.person_key,
        told.report_no,
        told.visited_on,
        told.outcome,
        told.programme,
        told.known_month,
        told.delivery_id,
        told.row_number
    from told
    left join numbered on told.visit_no = numbered.alert_id
)

select * from final
