with
direct as (
    select * from {{ ref('direct_hit') }}
),

former as (
    select
        found.month,
        found.indicator,
        catalogue.side,
        coalesce(found.level, catalogue.default_level) as level,
        found.household_id,
        found.person_key,
        {{ as_decimal('found.value', 18, 4) }} as value,
        cast(found.threshold as decimal(18, 4)) as threshold,
        found.evidence
    from {{ ref('n18_former_recipient') }} as found
    inner join {{ source('reference', 'indicator') }} as catalogue on found.indicator = catalogue.indicator
),

hit as (
    select * from direct
    union all
    select * from former
),

-- Months without a gap belong together: month number minus position is the same in all of them.
spell as (
    select
        *,
        {{ month_number('month') }} - row_number() over (
            partition by indicator, household_id, person_key
            order by month
        ) as spell_number
    from hit
),

final as (
    select
        month,
        indicator,
        side,
        level,
        household_id,
        person_key,
        value,
        threshold,
        evidence,
        min(month) over (partition by indicator, household_id, person_key, spell_number) as first_month
    from spell
)

select * from final
