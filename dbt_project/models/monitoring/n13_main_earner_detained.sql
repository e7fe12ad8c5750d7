with
member as (
    select * from {{ ref('household_member_month') }}
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

first_told as (
    select
        person_key,
        from_date,
        min(valid_from) as known_month
    from custody
    group by person_key, from_date
),

worked as (
    select
        person_key,
        month,
        sum(gross_yuan) as gross_yuan
    from {{ ref('person_month_income') }}
    where is_work
    group by person_key, month
),

earner as (
    select
        first_told.person_key,
        first_told.from_date,
        cast(sum(worked.gross_yuan) as double) / count(distinct worked.month) as value
    from first_told
    inner join worked
        on
            first_told.person_key = worked.person_key
            and worked.month >= {{ window_back(month_of('first_told.from_date'), 'main_earner_months') }}
            and worked.month <= {{ month_of('first_told.from_date') }}
    group by first_told.person_key, first_told.from_date
    having sum(worked.gross_yuan) > 0
),

income as (
    select
        month,
        household_id,
        main_earner_key
    from {{ ref('household_month_income') }}
),

standing as (
    {{ city_policy('event_standing_months') }}
),

late as (
    {{ city_policy('late_news_months') }}
),

final as (
    select
        member.month,
        'N13' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        earner.value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('custody.delivery_id', 'custody.row_number') }} as evidence
    from first_told
    inner join earner on first_told.person_key = earner.person_key and first_told.from_date = earner.from_date
    inner join member on first_told.person_key = member.person_key
    inner join custody
        on
            first_told.person_key = custody.person_key
            and first_told.from_date = custody.from_date
            and {{ in_force('member.month', 'custody') }}
    inner join standing on member.month = standing.month and standing.dimension_key = 'N13'
    inner join late on member.month = late.month
    inner join income
        on
            member.household_id = income.household_id
            and income.month = {{ month_of('first_told.from_date') }}
            and first_told.person_key = income.main_earner_key
    where
        {{ event_stands('member.month', 'first_told.known_month', 'first_told.from_date') }}
    group by member.month, member.household_id, member.person_key, earner.value
)

select * from final
