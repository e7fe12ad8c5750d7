with
told as (
    select * from {{ ref('person_visit') }}
),

-- Keys given out before data, a rule or the person keys were changed stand for the household of now.
household as (
    select
        month,
        household_id,
        household_id as given_id
    from {{ ref('household_month') }}
    union all
    select
        run_month.month,
        household_alias.current_household_id,
        household_alias.household_id
    from {{ ref('household_alias') }} as household_alias
    cross join {{ ref('run_month') }} as run_month
    where household_alias.reason = 'derived_anew'
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
        {{ alert_number('side.side', 'household.given_id', 'household.month') }} as number_given,
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
    left join numbered on told.visit_no = numbered.number_given
)

select * from final
