with
hit as (
    select * from {{ ref('indicator_hit') }}
    where household_id is not null
),

catalogue as (
    select
        indicator,
        sort_order
    from {{ source('reference', 'indicator') }}
),

-- A reason that several members give counts once, at its highest level.
reason as (
    select
        hit.month,
        hit.side,
        hit.household_id,
        hit.indicator,
        max({{ level_weight('hit.level') }}) as weight,
        min(catalogue.sort_order) as sort_order,
        {{ value_at_max('hit.person_key', level_weight('hit.level')) }} as person_key,
        max(hit.first_month) as first_month
    from hit
    inner join catalogue on hit.indicator = catalogue.indicator
    where {{ since_rebuild('hit.month') }}
    group by hit.month, hit.side, hit.household_id, hit.indicator
),

-- Months without a gap in which a household has any reason on a side are one alert; it may have begun long ago.
standing as (
    select distinct
        month,
        side,
        household_id
    from hit
),

marked as (
    select
        month,
        side,
        household_id,
        {{ month_number('month') }} - row_number() over (partition by side, household_id order by month) as spell_number
    from standing
),

spell as (
    select
        month,
        side,
        household_id,
        min(month) over (partition by side, household_id, spell_number) as alert_first_month
    from marked
),

final as (
    select
        {{ alert_number('reason.side', 'reason.household_id', 'spell.alert_first_month') }} as alert_id,
        reason.month,
        reason.side,
        reason.household_id,
        reason.indicator,
        {{ level_of_weight('reason.weight') }} as level,
        cast(reason.weight as integer) as weight,
        cast(reason.sort_order as integer) as sort_order,
        reason.person_key,
        reason.first_month,
        spell.alert_first_month
    from reason
    inner join spell
        on
            reason.month = spell.month
            and reason.side = spell.side
            and reason.household_id = spell.household_id
)

select * from final
