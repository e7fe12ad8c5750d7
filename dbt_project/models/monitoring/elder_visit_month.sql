with
month as (
    select * from {{ ref('run_month') }}
),

register_row as (
    select
        month.month,
        month.month_end,
        register.person_key,
        register.elder_category,
        register.ability_level,
        -- A visit after the end of the month says nothing about the month.
        case when register.visited_on <= month.month_end then register.visited_on end as visited_on,
        register.visited_on > month.month_end as is_visited_later,
        register.division_code,
        register.valid_from,
        register.delivery_id,
        register.row_number
    from {{ ref('person_elder_register') }} as register
    inner join month on {{ in_force('month.month', 'register') }}
),

registered as (
    select
        month,
        month_end,
        person_key,
        {{ text_list('elder_category') }} as elder_categories,
        max(ability_level) as ability_level,
        max(visited_on) as visited_on,
        bool_or(coalesce(is_visited_later, false)) as is_visited_later,
        {{ value_at_max('division_code', "concat(delivery_id, lpad(cast(row_number as string), 9, '0'))") }}
            as division_code,
        max(valid_from) < month as is_register_stale,
        {{ evidence_list() }} as evidence
    from register_row
    group by month, month_end, person_key
),

member as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

composition as (
    select
        month,
        household_id,
        counted_member_count,
        is_lone_elder
    from {{ ref('household_month_composition') }}
),

person as (
    select * from {{ ref('person') }}
),

disability as (
    select * from {{ ref('person_disability') }}
    where is_severe and status = '1'
),

in_care as (
    select distinct
        month,
        person_key
    from {{ ref('benefit_member_month') }}
    where care_mode = '1'
),

candidate_age as (
    {{ policy_parameter('elder_candidate_age') }}
),

interval_months as (
    {{ policy_parameter('elder_visit_interval_months') }}
),

outcome as (
    {{ city_policy('outcome_state') }}
),

-- A visit to the household of which an outcome came back; one at which nobody was met is none.
visit as (
    select
        visit.household_id,
        visit.visited_on,
        visit.known_month
    from {{ ref('visit') }} as visit
    inner join outcome on visit.known_month = outcome.month and visit.outcome = outcome.dimension_key
    where outcome.value_text <> 'visited'
),

-- The youngest of a household in which several live decides whether it is an empty nest.
youngest as (
    select
        month,
        household_id,
        min(age_years) as youngest_age
    from member
    where is_counted
    group by month, household_id
),

-- Whom the data show as in special need, on the register or not; in an institution somebody is there.
derived as (
    select
        member.month,
        member.person_key,
        'living_alone' as reason,
        {{ no_evidence() }} as evidence
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join composition on member.month = composition.month and member.household_id = composition.household_id
    inner join candidate_age
        on
            household.month = candidate_age.month
            and household.county_code = candidate_age.county_code
            and candidate_age.dimension_key = 'living_alone'
    where
        member.is_counted and composition.counted_member_count = 1 and composition.is_lone_elder
        and member.age_years >= candidate_age.value
    union all
    select
        member.month,
        member.person_key,
        'empty_nest' as reason,
        {{ no_evidence() }} as evidence
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join composition on member.month = composition.month and member.household_id = composition.household_id
    inner join youngest on member.month = youngest.month and member.household_id = youngest.household_id
    inner join candidate_age
        on
            household.month = candidate_age.month
            and household.county_code = candidate_age.county_code
            and candidate_age.dimension_key = 'empty_nest'
    where
        member.is_counted and composition.counted_member_count > 1
        and youngest.youngest_age >= candidate_age.value
    union all
    select
        member.month,
        member.person_key,
        'severe_disability' as reason,
        {{ evidence_list('disability.delivery_id', 'disability.row_number') }} as evidence
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join disability
        on
            member.person_key = disability.person_key
            and {{ in_force('member.month', 'disability') }}
            and (disability.valid_until is null or member.month <= disability.valid_until)
    inner join candidate_age
        on
            household.month = candidate_age.month
            and household.county_code = candidate_age.county_code
            and candidate_age.dimension_key = 'severe_disability'
    where member.is_counted and member.age_years >= candidate_age.value
    group by member.month, member.person_key
),

proposed as (
    select
        derived.month,
        derived.person_key,
        {{ text_list('derived.reason') }} as derived_reasons,
        {{ evidence_union('derived.evidence') }} as evidence
    from derived
    left join in_care on derived.month = in_care.month and derived.person_key = in_care.person_key
    where in_care.person_key is null
    group by derived.month, derived.person_key
),

register_source as (
    select
        month,
        county_code,
        is_covered
    from {{ ref('source_month') }}
    where feed = 'elder_register'
),

about as (
    select
        month,
        person_key
    from registered
    union
    select
        month,
        person_key
    from proposed
),

placed as (
    select
        about.month,
        month.month_end,
        about.person_key,
        member.household_id,
        coalesce(household.village_code, registered.division_code) as village_code,
        member.sex,
        {{ age_years('person.born_on', 'month.month_end') }} as age_years,
        registered.person_key is not null as is_registered,
        registered.elder_categories,
        registered.ability_level,
        registered.visited_on as register_visited_on,
        coalesce(registered.is_visited_later, false) as is_visited_later,
        coalesce(registered.is_register_stale, false) as is_register_stale,
        proposed.derived_reasons,
        case
            when member.not_counted_reason in ('dead', 'moved_out', 'cancelled') then member.not_counted_reason
            when person.died_on is not null and about.month >= person.death_known_month then 'dead'
            when member.not_counted_reason = 'custody' then 'custody'
        end as not_due_reason,
        {{ evidence_concat(
            "coalesce(registered.evidence, " ~ no_evidence() ~ ")", "coalesce(proposed.evidence, " ~ no_evidence() ~ ")"
        ) }} as evidence
    from about
    inner join month on about.month = month.month
    left join registered on about.month = registered.month and about.person_key = registered.person_key
    left join proposed on about.month = proposed.month and about.person_key = proposed.person_key
    left join member on about.month = member.month and about.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    left join person on about.person_key = person.person_key
),

met as (
    select
        placed.month,
        placed.person_key,
        max(visit.visited_on) as visited_on
    from placed
    inner join visit
        on
            placed.household_id = visit.household_id
            and placed.month >= visit.known_month
            and placed.month_end >= visit.visited_on
    group by placed.month, placed.person_key
),

visited as (
    select
        placed.*,
        substr(placed.village_code, 1, 6) as county_code,
        greatest(
            coalesce(met.visited_on, placed.register_visited_on), coalesce(placed.register_visited_on, met.visited_on)
        ) as last_visited_on
    from placed
    left join met on placed.month = met.month and placed.person_key = met.person_key
),

final as (
    select
        visited.month,
        visited.person_key,
        visited.household_id,
        visited.village_code,
        substr(visited.village_code, 1, 9) as township_code,
        visited.county_code,
        visited.sex,
        visited.age_years,
        visited.is_registered,
        visited.elder_categories,
        visited.ability_level,
        visited.derived_reasons,
        not visited.is_registered
        and visited.not_due_reason is null
        and coalesce(register_source.is_covered, false) as is_candidate,
        visited.is_registered and visited.not_due_reason is null as is_visit_due,
        visited.not_due_reason,
        visited.last_visited_on,
        case
            when visited.last_visited_on is null then null
            when visited.last_visited_on = visited.register_visited_on then 'elder_register'
            else 'visit_outcome'
        end as last_visit_source,
        cast({{ days_between('visited.last_visited_on', 'visited.month_end') }} as integer) as days_since_visit,
        case
            when not visited.is_registered or visited.not_due_reason is not null then 'not_due'
            when {{ months_between('visited.last_visited_on', 'visited.month') }} < interval_months.value then 'done'
            -- A register carried forward, or one that tells only of a visit after the month, says nothing of this one.
            when visited.is_register_stale or visited.is_visited_later then 'unknown'
            else 'missed'
        end as visit_status,
        visited.evidence
    from visited
    left join interval_months
        on visited.month = interval_months.month and visited.county_code = interval_months.county_code
    left join register_source
        on visited.month = register_source.month and visited.county_code = register_source.county_code
)

select * from final
