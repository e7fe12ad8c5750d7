with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

certificate as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

severe as (
    select * from certificate
    where is_severe
),

-- Since when the person has been known as severely disabled; a certificate renewed at the same grade is no news.
first_severe as (
    select
        person_key,
        min(least({{ month_of('issued_on') }}, first_seen_month)) as since_month
    from severe
    group by person_key
),

news as (
    select
        severe.*,
        greatest(severe.first_seen_month, {{ month_of('severe.issued_on') }}) as known_month
    from severe
    inner join first_severe on severe.person_key = first_severe.person_key
    where {{ month_of('severe.issued_on') }} = first_severe.since_month
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
        'N11' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        max(cast(news.disability_grade as integer)) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('news.delivery_id', 'news.row_number') }} as evidence
    from news
    inner join member on news.person_key = member.person_key and {{ in_force('member.month', 'news') }}
    inner join standing on member.month = standing.month and standing.dimension_key = 'N11'
    inner join late on member.month = late.month
    where
        {{ event_stands('member.month', 'news.known_month', 'news.issued_on') }}
    group by member.month, member.household_id, member.person_key
)

select * from final
