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

final as (
    select
        member.month,
        'N14' as indicator,
        member.household_id,
        min(change.person_key) as person_key,
        cast(null as varchar) as level,
        count(distinct change.person_key) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('change.delivery_id', 'change.row_number') }} as evidence
    from change
    inner join member on change.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join standing on member.month = standing.month and standing.dimension_key = 'N14'
    inner join late on member.month = late.month
    where
        {{ event_stands('member.month', 'change.known_month', 'change.event_on') }}
    group by member.month, member.household_id
)

select * from final
