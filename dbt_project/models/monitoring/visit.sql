with
told as (
    select * from {{ ref('person_visit') }}
),

-- What was on a list that is out: the number of nearly every visit.
given as (
    select distinct
        alert_id,
        side,
        household_id,
        first_month
    from {{ source('reference', 'alert_given') }}
),

alias as (
    select * from {{ ref('household_alias') }}
    where reason = 'derived_anew'
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
        alias.current_household_id,
        alias.household_id
    from alias
    cross join {{ ref('run_month') }} as run_month
),

side as (
    select distinct side from {{ source('reference', 'indicator') }}
),

-- One row where a visit came back under a number of ours that no list known here bore, none where the work below would
-- be in vain.
unlisted as (
    select max(visit_no) as visit_no
    from told
    where
        (visit_no like 'N-%' or visit_no like 'X-%')
        and visit_no not in (select given.alert_id from given)
    having count(*) > 0
),

-- The number of an alert is made of household, side and first month, so that a visit finds its household by number.
numbered as (
    select
        coalesce(alias.current_household_id, given.household_id) as household_id,
        given.side,
        given.alert_id as number_given,
        {{ alert_number(
            'given.side', 'coalesce(alias.current_household_id, given.household_id)', 'given.first_month'
        ) }} as alert_id
    from given
    left join alias on given.household_id = alias.household_id
    union all
    select
        household.household_id,
        side.side,
        {{ alert_number('side.side', 'household.given_id', 'household.month') }} as number_given,
        {{ alert_number('side.side', 'household.household_id', 'household.month') }} as alert_id
    from household
    cross join side
    cross join unlisted
),

found as (
    select distinct * from numbered
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
    left join found as numbered on told.visit_no = numbered.number_given
)

select * from final
