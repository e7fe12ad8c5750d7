with
hukou as (
    select * from {{ ref('hukou_household_member') }}
),

person as (
    select * from {{ ref('person') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

-- An empty cell does not mean that someone went home.
placed as {{ step() }} (
    select
        *,
        coalesce(
            residence_division,
            {{ last_told('residence_division') }} over (
                partition by person_key, hukou_key
                order by valid_from
                rows between unbounded preceding and current row
            ),
            registered_division
        ) as place_code
    from hukou
),

-- A register says mostly what the one before said: a row for each change, not for each delivery.
spell as {{ step() }} (
    {{ merged_spells('placed', ['person_key'], [
        'hukou_key', 'relation_to_head', 'hukou_type', 'registered_division', 'place_code', 'marital_status', 'status',
        'changed_on'
    ]) }}
),

county as {{ step() }} (
    select
        county_code,
        valid_from,
        lead(valid_from, 1, date '9999-12-31') over (partition by county_code order by valid_from) as next_from
    from (
        select distinct
            substr(registered_division, 1, 6) as county_code,
            valid_from
        from hukou
    ) as arrived
),

-- Whoever is absent from one delivery without a cancellation (a row in quarantine, a wrong hukou number) is kept with
-- the household until the delivery after of the same district.
carried as {{ step() }} (
    select
        spell.*,
        county.valid_from as carried_from,
        county.next_from as carried_to
    from spell
    inner join county
        on
            substr(spell.registered_division, 1, 6) = county.county_code
            and spell.valid_to = county.valid_from
    left join spell as following
        on
            spell.person_key = following.person_key
            and spell.valid_to = following.valid_from
    where
        spell.status = '1'
        and following.person_key is null
),

told as {{ step() }} (
    select
        person_key,
        hukou_key,
        relation_to_head,
        hukou_type,
        registered_division,
        place_code,
        marital_status,
        status,
        changed_on,
        valid_from,
        valid_to,
        delivery_id,
        row_number,
        0 as is_carried
    from spell
    union all
    select
        person_key,
        hukou_key,
        relation_to_head,
        hukou_type,
        registered_division,
        place_code,
        marital_status,
        status,
        changed_on,
        carried_from as valid_from,
        carried_to as valid_to,
        delivery_id,
        row_number,
        1 as is_carried
    from carried
),

-- Two districts may both know a person: in each span of months one of their rows counts.
boundary as {{ step() }} (
    select
        person_key,
        valid_from as starts
    from told
    union distinct
    select
        person_key,
        valid_to as starts
    from told
    where valid_to < date '9999-12-31'
),

piece as {{ step() }} (
    select
        person_key,
        starts,
        lead(starts, 1, date '9999-12-31') over (partition by person_key order by starts) as ends
    from boundary
),

chosen as {{ step() }} (
    select
        told.person_key,
        told.hukou_key,
        told.relation_to_head,
        told.hukou_type,
        told.registered_division,
        told.place_code,
        told.marital_status,
        told.status,
        told.changed_on,
        piece.starts as valid_from,
        piece.ends as valid_to,
        told.delivery_id,
        told.row_number
    from piece
    inner join told
        on
            piece.person_key = told.person_key
            and piece.starts >= told.valid_from
            and piece.starts < told.valid_to
    qualify
        row_number() over (
            partition by piece.person_key, piece.starts
            order by told.is_carried, (told.status = '1') desc, told.valid_from desc
        ) = 1
),

-- The first month on whose first day a person is of age by the rule of that month.
young as (
    select
        person.person_key,
        person.born_on
    from person
    inner join majority
        on majority.month = (select min(first_month.month) from majority as first_month)
    where {{ add_months('person.born_on', 'cast(majority.value * 12 as integer)') }} > majority.month
),

of_age as {{ step() }} (
    select
        young.person_key,
        coalesce(min(majority.month), date '9999-12-31') as adult_from
    from young
    left join majority
        on {{ add_months('young.born_on', 'cast(majority.value * 12 as integer)') }} <= majority.month
    group by young.person_key
),

final as (
    select
        chosen.person_key,
        chosen.hukou_key,
        chosen.relation_to_head,
        chosen.hukou_type,
        chosen.registered_division,
        chosen.place_code,
        chosen.marital_status,
        chosen.status,
        chosen.changed_on,
        person.sex,
        -- Whose age nobody knows counts as grown up.
        coalesce(of_age.adult_from, date '1900-01-01') as adult_from,
        case
            when person.died_on is not null then {{ effective_month('person.death_known_month', 'person.died_on') }}
        end as dead_from,
        chosen.valid_from,
        chosen.valid_to,
        chosen.delivery_id,
        chosen.row_number
    from chosen
    inner join person
        on chosen.person_key = person.person_key
    left join of_age
        on chosen.person_key = of_age.person_key
)

select * from final
