with
hit as (
    select * from {{ ref('direct_hit') }}
    -- A score is no fact, and a change of members is no hardship.
    where side = 'need' and indicator not in ('N14', 'N30')
),

household as (
    select * from {{ ref('household_month') }}
),

memory as (
    {{ policy_parameter('refused_memory_months') }}
),

sequence as (
    select
        month,
        household_id,
        assistance_layer,
        lag(assistance_layer) over (partition by household_id order by month) as before_layer,
        lead(assistance_layer) over (partition by household_id order by month) as next_layer,
        lead(month) over (partition by household_id order by month) as next_month
    from household
    where counted_member_count > 0
),

-- Left the register and stayed away a second month; a single missing row may be a quarantined one.
departure as (
    select
        household_id,
        month as event_month,
        next_month as known_month,
        {{ no_evidence() }} as evidence
    from sequence
    where assistance_layer = 'none' and before_layer <> 'none' and next_layer = 'none'
),

refusal as (
    select
        household_id,
        {{ month_of('visited_on') }} as event_month,
        known_month,
        {{ evidence_list() }} as evidence
    from {{ ref('visit') }}
    where outcome = '4' and household_id is not null
    group by household_id, {{ month_of('visited_on') }}, known_month
),

former as (
    select * from departure
    union all
    select * from refusal
),

rank as (
    select
        'red' as level,
        4 as weight,
        cast('red' as string) as raised
    union all
    select
        'orange' as level,
        3 as weight,
        'red' as raised
    union all
    select
        'yellow' as level,
        2 as weight,
        'orange' as raised
    union all
    select
        'blue' as level,
        1 as weight,
        'yellow' as raised
),

final as (
    select
        hit.month,
        'N18' as indicator,
        hit.household_id,
        {{ value_at_max('hit.person_key', 'rank.weight') }} as person_key,
        {{ value_at_max('rank.raised', 'rank.weight') }} as level,
        min({{ months_between('former.event_month', 'hit.month') }}) as value,
        max(memory.value) as threshold,
        {{ evidence_concat(evidence_union('hit.evidence'), evidence_union('former.evidence')) }} as evidence
    from hit
    inner join rank on hit.level = rank.level
    inner join household on hit.month = household.month and hit.household_id = household.household_id
    inner join memory on household.month = memory.month and household.county_code = memory.county_code
    inner join former
        on
            hit.household_id = former.household_id
            and hit.month >= former.known_month
            and {{ months_between('former.event_month', 'hit.month') }} <= memory.value
    group by hit.month, hit.household_id
)

select * from final
