with
visit as (
    select
        visit.*,
        coalesce(visit.side, 'need') as answered_side
    from {{ ref('visit') }} as visit
    where visit.household_id is not null
),

household as (
    select * from {{ ref('household_month') }}
),

reason as (
    select * from {{ ref('alert_reason') }}
),

hit as (
    select * from {{ ref('indicator_hit') }}
),

correction as (
    {{ city_policy('outcome_correction') }}
),

registration as (
    select * from {{ ref('hukou_household_member') }}
),

delivery as (
    select
        delivery_id,
        feed
    from {{ source('reference', 'delivery') }}
),

feed as (
    select
        feed,
        department
    from {{ source('reference', 'feed') }}
),

-- The alert as it stood when the visit came back: its newest month until then.
answered as (
    select
        visit.visit_no,
        visit.visited_on,
        visit.outcome,
        visit.known_month,
        visit.household_id,
        visit.answered_side,
        visit.person_key,
        correction.value_text as correction,
        max(reason.month) as alert_month
    from visit
    inner join correction on visit.known_month = correction.month and visit.outcome = correction.dimension_key
    left join reason
        on
            visit.household_id = reason.household_id
            and visit.answered_side = reason.side
            and visit.known_month >= reason.month
    group by
        visit.visit_no, visit.visited_on, visit.outcome, visit.known_month, visit.household_id,
        visit.answered_side, visit.person_key, correction.value_text
),

-- The rows on which the reasons rest.
of_indicator as (
    select
        answered.visit_no,
        answered.visited_on,
        answered.outcome,
        answered.known_month,
        answered.correction,
        answered.household_id,
        reason.alert_id,
        reason.indicator,
        {{ unnested('hit.evidence') }} as told
    from answered
    inner join reason
        on
            answered.household_id = reason.household_id
            and answered.answered_side = reason.side
            and answered.alert_month = reason.month
    inner join hit
        on
            reason.household_id = hit.household_id
            and reason.indicator = hit.indicator
            and reason.month = hit.month
    where answered.correction = 'indicator_data'
),

about as (
    select
        answered.visit_no,
        answered.visited_on,
        answered.outcome,
        answered.known_month,
        answered.correction,
        answered.household_id,
        reason.alert_id,
        coalesce(answered.person_key, reason.person_key, household.reference_person_key) as person_key
    from answered
    left join reason
        on
            answered.household_id = reason.household_id
            and answered.answered_side = reason.side
            and answered.alert_month = reason.month
    left join household
        on
            answered.household_id = household.household_id
            and answered.known_month = household.month
    where answered.correction <> 'indicator_data'
    qualify
        row_number() over (
            partition by answered.visit_no, answered.visited_on
            order by reason.weight desc nulls last, reason.sort_order nulls last, reason.indicator nulls last
        ) = 1
),

request as (
    select
        of_indicator.visit_no,
        of_indicator.visited_on,
        of_indicator.outcome,
        of_indicator.known_month,
        of_indicator.correction,
        of_indicator.household_id,
        of_indicator.alert_id,
        of_indicator.indicator,
        of_indicator.told.delivery_id,
        of_indicator.told.row_number
    from of_indicator
    union all
    -- Where and whether somebody lives, the population register says.
    select
        about.visit_no,
        about.visited_on,
        about.outcome,
        about.known_month,
        about.correction,
        about.household_id,
        about.alert_id,
        cast(null as string) as indicator,
        registration.delivery_id,
        registration.row_number
    from about
    inner join registration
        on about.person_key = registration.person_key and {{ in_force('about.known_month', 'registration') }}
),

final as (
    select distinct
        request.known_month as month,
        request.visit_no,
        request.visited_on,
        request.alert_id,
        request.household_id,
        request.outcome,
        request.correction,
        request.indicator,
        delivery.feed,
        feed.department,
        request.delivery_id,
        cast(request.row_number as bigint) as row_number
    from request
    inner join delivery on request.delivery_id = delivery.delivery_id
    inner join feed on delivery.feed = feed.feed
)

select * from final
