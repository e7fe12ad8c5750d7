with
child as (
    select * from {{ ref('child_concern_month') }}
),

reason as (
    select
        month,
        person_key,
        {{ level_of_weight('max(' ~ level_weight('level') ~ ')') }} as risk_level,
        {{ ordered_list('reason', 'sort_order') }} as reasons
    from {{ ref('child_risk_reason') }}
    group by month, person_key
),

due as (
    select * from {{ ref('allowance_due_month') }}
    where kind = 'child'
),

paid as (
    select
        benefit_month as month,
        person_key,
        sum(amount_yuan) as amount_paid_yuan
    from {{ ref('person_payment') }}
    where is_paid and benefit in ('GE', 'SS') and known_month <= benefit_month
    group by benefit_month, person_key
),

interval_months as (
    {{ policy_parameter('child_visit_interval_months') }}
),

month as (
    select
        month,
        month_end
    from {{ ref('run_month') }}
),

outcome as (
    {{ city_policy('outcome_state') }}
),

-- A visit at which nobody was met (its outcome leaves the alert where it was) is none.
visit as (
    select
        visit.household_id,
        visit.person_key,
        visit.visited_on,
        visit.known_month
    from {{ ref('visit') }} as visit
    inner join outcome on visit.known_month = outcome.month and visit.outcome = outcome.dimension_key
    where outcome.value_text <> 'visited'
),

met as (
    select
        child.month,
        child.person_key,
        max(visit.visited_on) as visited_on
    from child
    inner join month on child.month = month.month
    inner join visit
        on
            child.household_id = visit.household_id
            and child.month >= visit.known_month
            and month.month_end >= visit.visited_on
    group by child.month, child.person_key
),

known as (
    select
        child.*,
        reason.risk_level,
        reason.reasons,
        interval_months.value as visit_interval_months,
        min(child.month) over (partition by child.person_key) as first_month,
        met.visited_on as outcome_visited_on,
        case when child.register_visited_on <= month.month_end then child.register_visited_on end
            as told_visited_on
    from child
    inner join month on child.month = month.month
    inner join reason on child.month = reason.month and child.person_key = reason.person_key
    left join met on child.month = met.month and child.person_key = met.person_key
    left join interval_months
        on
            child.month = interval_months.month
            and child.county_code = interval_months.county_code
            and reason.risk_level = interval_months.dimension_key
),

visited as (
    select
        *,
        greatest(coalesce(outcome_visited_on, told_visited_on), coalesce(told_visited_on, outcome_visited_on))
            as last_visited_on
    from known
),

-- Whom nobody has ever visited is due the month after he or she is first told of.
scheduled as (
    select
        *,
        coalesce(
            {{ add_months(month_of('last_visited_on'), 'cast(visit_interval_months as integer)') }},
            {{ add_months('first_month', 1) }}
        ) as next_visit_month
    from visited
),

final as (
    select
        scheduled.month,
        scheduled.person_key,
        scheduled.household_id,
        scheduled.village_code,
        scheduled.township_code,
        scheduled.county_code,
        scheduled.area_type,
        scheduled.sex,
        scheduled.age_years,
        scheduled.state,
        scheduled.state_basis,
        scheduled.state_since,
        scheduled.first_month,
        scheduled.known_parent_count,
        scheduled.father_state,
        scheduled.father_since,
        scheduled.mother_state,
        scheduled.mother_since,
        scheduled.register_categories,
        scheduled.guardian_key,
        scheduled.guardian_relation,
        scheduled.recognised_on,
        scheduled.difference,
        scheduled.hardships,
        due.benefit,
        {{ yuan('coalesce(due.amount_due_yuan, 0)') }} as amount_due_yuan,
        {{ yuan('coalesce(paid.amount_paid_yuan, 0)') }} as amount_paid_yuan,
        {{ payment_status(
            'due.amount_due_yuan', 'coalesce(paid.amount_paid_yuan, 0)', 'due.is_missing', 'due.is_payment_told',
            'due.last_entry_month', 'scheduled.month'
        ) }} as payment_status,
        scheduled.risk_level,
        cast(5 - {{ level_weight('scheduled.risk_level') }} as integer) as risk_rank,
        scheduled.reasons,
        cast(scheduled.visit_interval_months as integer) as visit_interval_months,
        scheduled.last_visited_on,
        case
            when scheduled.last_visited_on is null then null
            when scheduled.last_visited_on = scheduled.told_visited_on then 'child_register'
            else 'visit_outcome'
        end as last_visit_source,
        scheduled.next_visit_month,
        case
            when {{ month_of('scheduled.last_visited_on') }} = scheduled.month then 'done'
            when scheduled.next_visit_month <= scheduled.month then 'overdue'
            else 'not_yet_due'
        end as visit_status,
        scheduled.next_visit_month <= {{ add_months('scheduled.month', 1) }} as is_due_next_month,
        scheduled.evidence
    from scheduled
    left join due on scheduled.month = due.month and scheduled.person_key = due.person_key
    left join paid on scheduled.month = paid.month and scheduled.person_key = paid.person_key
)

select * from final
