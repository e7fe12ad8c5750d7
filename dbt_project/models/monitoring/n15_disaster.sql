with
member as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

disaster as (
    select * from {{ ref('person_disaster') }}
),

line as (
    {{ policy_parameter('n15_loss_line') }}
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
        'N15' as indicator,
        member.household_id,
        member.person_key,
        cast(null as string) as level,
        max(disaster.loss_yuan) as value,
        max(line.value) as threshold,
        {{ evidence_list('disaster.delivery_id', 'disaster.row_number') }} as evidence
    from disaster
    inner join member on disaster.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    inner join standing on member.month = standing.month and standing.dimension_key = 'N15'
    inner join late on member.month = late.month
    where
        {{ event_stands('member.month', 'disaster.known_month', 'disaster.occurred_on') }}
        and (
            disaster.house_damage in ('2', '3')
            or disaster.casualties_count > 0
            or disaster.loss_yuan > line.value
        )
    group by member.month, member.household_id, member.person_key
)

select * from final
