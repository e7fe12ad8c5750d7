with
member as (
    select * from {{ ref('household_member_month') }}
),

death as (
    select * from {{ ref('person_death') }}
    where died_on is not null
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

-- Income from work in the months before death (the month of death too): a pensioner is no main earner.
earner as (
    select
        death.person_key,
        cast(sum(worked.gross_yuan) as double) / count(distinct worked.month) as value
    from death
    inner join worked
        on
            death.person_key = worked.person_key
            and worked.month >= {{ window_back(month_of('death.died_on'), 'main_earner_months') }}
            and worked.month <= {{ month_of('death.died_on') }}
    group by death.person_key
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
        'N10' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        earner.value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('death.delivery_id', 'death.row_number') }} as evidence
    from death
    inner join earner on death.person_key = earner.person_key
    inner join member on death.person_key = member.person_key
    inner join standing on member.month = standing.month and standing.dimension_key = 'N10'
    inner join late on member.month = late.month
    inner join income
        on
            member.household_id = income.household_id
            and income.month = greatest(
                {{ month_of('death.died_on') }},
                (select min(run_month.month) from {{ ref('run_month') }} as run_month)
            )
            and death.person_key = income.main_earner_key
    where
        {{ event_stands('member.month', 'death.known_month', 'death.died_on') }}
    group by member.month, member.household_id, member.person_key, earner.value
)

select * from final
