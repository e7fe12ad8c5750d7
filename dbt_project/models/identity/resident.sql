with
hukou as (
    select * from {{ ref('hukou_household_member') }}
),

month as (
    select * from {{ ref('run_month') }}
),

person as (
    select * from {{ ref('person') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

-- Households change when a part of the population register arrives, not in between.
started as (
    select distinct valid_from as epoch_from from hukou
    union distinct
    select min(month) as epoch_from from month
),

epoch as (
    select
        epoch_from,
        lead(epoch_from, 1, date '9999-12-31') over (order by epoch_from) as epoch_to
    from started
),

-- An empty cell does not mean that someone went home.
placed as (
    select
        *,
        coalesce(
            residence_division,
            last_value(residence_division ignore nulls) over (
                partition by person_key, hukou_no
                order by valid_from
                rows between unbounded preceding and current row
            ),
            registered_division
        ) as place_code
    from hukou
),

in_force as (
    select
        epoch.epoch_from,
        epoch.epoch_to,
        placed.*
    from placed
    inner join epoch
        on {{ in_force('epoch.epoch_from', 'placed') }}
    qualify
        row_number() over (
            partition by epoch.epoch_from, placed.person_key
            order by (placed.status = '1') desc, placed.valid_from desc
        ) = 1
),

-- Whoever is absent from one delivery without a cancellation (a row in quarantine, a wrong hukou number) is kept with
-- the household until the delivery after.
carried as (
    select
        epoch.epoch_from,
        epoch.epoch_to,
        placed.*
    from placed
    inner join epoch
        on placed.valid_to = epoch.epoch_from
    left join in_force
        on
            epoch.epoch_from = in_force.epoch_from
            and placed.person_key = in_force.person_key
    where
        placed.status = '1'
        and in_force.person_key is null
),

known as (
    select * from in_force
    union all
    select * from carried
),

final as (
    select
        known.epoch_from,
        known.epoch_to,
        known.person_key,
        known.hukou_no,
        known.relation_to_head,
        known.hukou_type,
        known.registered_division,
        known.place_code,
        known.marital_status,
        known.status,
        known.changed_on,
        known.status = '1' and (person.died_on is null or person.death_known_month > known.epoch_from) as is_resident,
        coalesce(
            {{ add_months('person.born_on', 'cast(majority.value * 12 as integer)') }} > known.epoch_from, false
        ) as is_minor
    from known
    inner join person
        on known.person_key = person.person_key
    left join majority
        on known.epoch_from = majority.month
    qualify row_number() over (partition by known.epoch_from, known.person_key order by known.valid_from desc) = 1
)

select * from final
