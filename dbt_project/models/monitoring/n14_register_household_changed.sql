with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select * from {{ ref('household_month') }}
    where assistance_layer <> 'none'
),

standing as (
    {{ city_policy('event_standing_months') }}
),

late as (
    {{ city_policy('late_news_months') }}
),

divorce as (
    select
        person_key,
        registered_on as event_on,
        known_month,
        delivery_id,
        row_number
    from {{ ref('person_marriage_event') }}
    where event = '2'
),

registration as (
    select * from {{ ref('hukou_household_member') }}
),

first_month as (
    select min(month) as month from {{ ref('run_month') }}
),

birth as (
    select
        registration.person_key,
        person.born_on as event_on,
        registration.valid_from as known_month,
        registration.delivery_id,
        registration.row_number
    from registration
    inner join {{ ref('person') }} as person on registration.person_key = person.person_key
    cross join first_month
    -- The first register of all is no news.
    where registration.valid_from > first_month.month or person.born_on >= first_month.month
    qualify row_number() over (partition by registration.person_key order by registration.valid_from) = 1
),

-- A hukou of one's own where the month before was that of the family: the household has split.
moved as (
    select
        person_key,
        hukou_key,
        valid_from,
        delivery_id,
        row_number,
        lag(hukou_key) over (partition by person_key order by valid_from) as before_hukou_key
    from registration
),

split as (
    select
        person_key,
        valid_from as event_on,
        valid_from as known_month,
        delivery_id,
        row_number
    from moved
    where before_hukou_key <> hukou_key
),

change as (
    select * from divorce
    union all
    select * from birth
    union all
    select * from split
),

-- Of a split both sides are concerned: where the person now lives, and the household that was left the month before.
side as (
    select
        month,
        household_id,
        person_key
    from member
    union
    select
        {{ add_months('member.month', 1) }} as month,
        member.household_id,
        member.person_key
    from member
    inner join split
        on member.person_key = split.person_key and {{ add_months('member.month', 1) }} = split.known_month
),

final as (
    select
        side.month,
        'N14' as indicator,
        side.household_id,
        min(change.person_key) as person_key,
        cast(null as string) as level,
        count(distinct change.person_key) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('change.delivery_id', 'change.row_number') }} as evidence
    from change
    inner join side on change.person_key = side.person_key
    inner join household on side.month = household.month and side.household_id = household.household_id
    inner join standing on side.month = standing.month and standing.dimension_key = 'N14'
    inner join late on side.month = late.month
    where
        {{ event_stands('side.month', 'change.known_month', 'change.event_on') }}
    group by side.month, side.household_id
)

select * from final
