with
standing as (
    select * from {{ ref('alert_standing') }}
),

given as (
    select * from {{ source('reference', 'alert_given') }}
),

alias as (
    select * from {{ ref('household_alias') }}
    where reason = 'derived_anew'
),

run_month as (
    select * from {{ ref('run_month') }}
),

visit as (
    select
        household_id,
        coalesce(side, 'need') as side,
        known_month
    from {{ ref('visit') }}
    where household_id is not null
),

handling as (
    {{ policy_parameter('outcome_handling') }}
),

-- A household of which all have joined another: (household, the other one, since when it is known).
joined as (
    select
        household_id,
        known_month,
        min(other_household_id) as other_household_id
    from {{ ref('household_event') }}
    where event = 'merged_into'
    group by household_id, known_month
),

last_month as (
    select max(month) as month from run_month
),

-- On a published list, and not under that number today: the data were corrected. Numbers and households of then.
missing as (
    select
        given.*,
        coalesce(alias.current_household_id, given.household_id) as current_household_id
    from given
    inner join run_month on given.month = run_month.month
    left join standing on given.alert_id = standing.alert_id and given.month = standing.month
    left join alias on given.household_id = alias.household_id
    where standing.alert_id is null
),

-- Was somebody there before it was known that the data were wrong? Then the visit has answered.
corrected as (
    select
        missing.alert_id,
        missing.month,
        missing.side,
        missing.household_id,
        missing.level,
        missing.reasons,
        missing.person_key,
        missing.reference_person_key,
        missing.township_code,
        missing.village_code,
        missing.first_month,
        missing.due_on,
        other.alert_id as into_alert_id,
        coalesce(missing.withdrawn_in, last_month.month) as told_month,
        max(case when visit.known_month >= missing.month then 1 else 0 end) as visit_count
    from missing
    cross join last_month
    left join standing as other
        on
            missing.month = other.month
            and missing.current_household_id = other.household_id
            and missing.side = other.side
    left join visit
        on
            missing.current_household_id = visit.household_id
            and missing.side = visit.side
            and coalesce(missing.withdrawn_in, last_month.month) >= visit.known_month
    group by
        missing.alert_id, missing.month, missing.side, missing.household_id, missing.level, missing.reasons,
        missing.person_key, missing.reference_person_key, missing.township_code, missing.village_code,
        missing.first_month, missing.due_on, other.alert_id, missing.withdrawn_in, last_month.month
),

-- Stood in the month before and does not now.
lapsed as (
    select
        before.*,
        run_month.month as end_month,
        other.alert_id as into_alert_id
    from standing as before
    inner join run_month on run_month.month = {{ add_months('before.month', 1) }}
    left join standing as now
        on
            run_month.month = now.month
            and before.household_id = now.household_id
            and before.side = now.side
    left join corrected
        on
            before.alert_id = corrected.alert_id
            and run_month.month = corrected.month
    left join joined
        on
            before.household_id = joined.household_id
            and run_month.month = joined.known_month
    left join standing as other
        on
            joined.other_household_id = other.household_id
            and run_month.month = other.month
            and before.side = other.side
    where now.alert_id is null and corrected.alert_id is null
),

ended as (
    select
        alert_id,
        month,
        side,
        household_id,
        level,
        reasons,
        person_key,
        reference_person_key,
        township_code,
        village_code,
        first_month,
        due_on,
        into_alert_id,
        case
            when into_alert_id is not null then 'merge'
            when visit_count > 0 then 'lapse'
            else 'withdraw'
        end as event,
        told_month,
        month as list_month,
        cast(null as string) as last_outcome,
        cast(null as date) as last_visited_on,
        visit_count > 0 as is_answered,
        true as was_listed
    from corrected
    union all
    select
        alert_id,
        end_month as month,
        side,
        household_id,
        level,
        reasons,
        person_key,
        reference_person_key,
        charged_township_code as township_code,
        charged_village_code as village_code,
        first_month,
        due_on,
        into_alert_id,
        case when into_alert_id is not null then 'merge' else 'lapse' end as event,
        end_month as told_month,
        month as list_month,
        case when visit_month >= first_month then outcome end as last_outcome,
        case when visit_month >= first_month then visited_on end as last_visited_on,
        coalesce(answer_month >= first_month and is_silenced, false) as is_answered,
        first_listed_month is not null as was_listed
    from lapsed
),

final as (
    select
        ended.alert_id,
        ended.month,
        ended.side,
        ended.household_id,
        ended.event,
        ended.into_alert_id,
        ended.told_month,
        ended.list_month,
        ended.level,
        cast({{ level_weight('ended.level') }} as integer) as weight,
        ended.reasons,
        ended.person_key,
        ended.reference_person_key,
        ended.township_code,
        ended.village_code,
        substring(ended.township_code, 1, 6) as county_code,
        ended.first_month,
        ended.due_on,
        ended.last_outcome,
        ended.last_visited_on,
        handling.value_text as handling,
        ended.is_answered,
        ended.was_listed
    from ended
    left join handling
        on
            ended.month = handling.month
            and substring(ended.township_code, 1, 6) = handling.county_code
            and ended.last_outcome = handling.dimension_key
)

select * from final
