{#- Whether phase-out is over is told by the months since: one more than it lasts. -#}
{%- set phase_out_back = longest_window(['phase_out_months']) | int + 1 -%}
with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', back=phase_out_back) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', back=phase_out_back) }}
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

visit as (
    select * from {{ ref('visit') }}
),

found as (
    select * from {{ ref('person_month_means') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months', 'means_income_months']) }}
),

monitored as (
    select * from {{ ref('person_rural_monitoring') }}
),

means as (
    select
        *,
        household_id as family_id
    from {{ ref('household_month_means') }}
    where {{ since_rebuild('month', back=phase_out_back) }}
),

outcome as (
    {{ city_policy('hardship_outcome') }}
),

outcome_months as (
    {{ city_policy('other_hardship_months') }}
),

family as (
    select
        member.month,
        member.household_id as family_id,
        member.person_key,
        member.is_counted,
        household.county_code,
        household.area_type
    from member
    inner join household
        on
            member.month = household.month
            and member.household_id = household.household_id
),

-- Found in difficulty by monitoring: a visit said so, not long ago.
hardship as (
    select
        outcome.month,
        visit.household_id,
        {{ evidence_list('visit.delivery_id', 'visit.row_number') }} as evidence
    from visit
    inner join outcome
        on
            visit.outcome = outcome.dimension_key
            and outcome.value = 1
            and visit.known_month <= outcome.month
    inner join outcome_months
        on outcome.month = outcome_months.month
    where
        visit.household_id is not null
        and {{ months_between('visit.known_month', 'outcome.month') }} < outcome_months.value
    group by outcome.month, visit.household_id
),

register as (
    select
        household.month,
        household.household_id as family_id,
        certificate.delivery_id,
        certificate.row_number,
        hardship.evidence,
        household.register_layer,
        certificate.monthly_amount_yuan as register_amount_yuan,
        certificate.approved_on,
        household.is_relapse_risk,
        hardship.household_id is not null as is_found_in_hardship
    from household
    left join certificate
        on
            household.month = certificate.month
            and household.certificate_no = certificate.certificate_no
    left join hardship
        on
            household.month = hardship.month
            and household.household_id = hardship.household_id
),

judged as (
    {{ family_layer('family', 'means', 'register') }}
),

-- Since when the income of a household on the register has been above the line without a month below it: from the
-- month after, payment goes on for the months of phase-out.
marked as (
    select
        *,
        max(case when not is_income_in_phase_out then {{ month_number('month') }} end)
            over (partition by family_id order by month) as last_other_number,
        min({{ month_number('month') }}) over (partition by family_id order by month) as first_number
    from judged
),

counted as (
    select
        *,
        cast({{ month_number('month') }} - coalesce(last_other_number, first_number - 1) - 1 as integer)
            as months_since_over
    from marked
),

-- Households that some layer concerns, with the rows that say so.
concerned as (
    select
        family.month,
        family.family_id,
        family.person_key,
        judged.rule_layer,
        judged.broken_limits
    from family
    inner join judged
        on
            family.month = judged.month
            and family.family_id = judged.family_id
    where
        family.is_counted
        and {{ since_rebuild('family.month') }}
        and (judged.register_layer <> 'none' or judged.rule_layer not in ('none', 'unknown'))
),

row_found as (
    select
        concerned.month,
        concerned.family_id,
        found.delivery_id,
        found.row_number
    from concerned
    inner join found
        on
            concerned.person_key = found.person_key
            and concerned.month >= found.known_month
            and concerned.month >= found.month
            and {{ is_in_means_window('found', 'concerned.month') }}
    where
        found.kind = 'income'
        or (found.kind = 'spending' and concerned.rule_layer = 'rigid_expenditure')
        or (
            found.kind = 'property'
            and found.reason is null
            and concerned.broken_limits like concat(
                '%', case found.item when 'enterprise' then 'business' else found.item end, '%'
            )
        )
    union all
    select
        concerned.month,
        concerned.family_id,
        monitored.delivery_id,
        monitored.row_number
    from concerned
    inner join monitored
        on
            concerned.person_key = monitored.person_key
            and {{ in_force('concerned.month', 'monitored') }}
    where concerned.rule_layer = 'relapse_risk'
    union all
    select
        month,
        family_id,
        delivery_id,
        row_number
    from register
    where delivery_id is not null
),

row_list as (
    select
        month,
        family_id,
        {{ evidence_list() }} as evidence
    from row_found
    group by month, family_id
),

final as (
    select
        counted.month,
        counted.family_id as household_id,
        counted.county_code,
        counted.area_type,
        counted.counted_member_count,
        counted.register_layer,
        counted.rule_layer,
        case
            when counted.is_income_in_phase_out and counted.months_since_over <= counted.phase_out_months
                then concat(counted.rule_reason, ',phase_out')
            else counted.rule_reason
        end as rule_reason,
        counted.income_pc_yuan,
        counted.line_yuan,
        counted.dibao_standard_yuan,
        counted.marginal_line_yuan,
        counted.is_income_known,
        counted.is_within_property_limit,
        counted.broken_limits,
        counted.is_helpless,
        counted.has_able_supporter,
        counted.rigid_spending_ratio,
        -- In phase-out what was granted goes on.
        case
            when counted.is_income_in_phase_out and counted.months_since_over <= counted.phase_out_months
                then {{ yuan('coalesce(counted.register_amount_yuan, 0)') }}
            else counted.amount_due_yuan
        end as amount_due_yuan,
        counted.care_due_yuan,
        counted.is_income_in_phase_out and counted.months_since_over <= counted.phase_out_months as is_phase_out,
        case
            when counted.is_income_in_phase_out and counted.months_since_over <= counted.phase_out_months
                then {{ add_months('counted.month', 'counted.phase_out_months - counted.months_since_over') }}
        end as phase_out_until,
        counted.single_person_key,
        counted.single_person_reason,
        counted.single_person_count,
        counted.single_amount_yuan,
        counted.missing_sources,
        {{ evidence_concat(
            'coalesce(row_list.evidence, ' ~ no_evidence() ~ ')',
            evidence_concat(
                'coalesce(counted.supporter_evidence, ' ~ no_evidence() ~ ')',
                'coalesce(register.evidence, ' ~ no_evidence() ~ ')'
            )
        ) }} as evidence
    from counted
    inner join register
        on
            counted.month = register.month
            and counted.family_id = register.family_id
    left join row_list
        on
            counted.month = row_list.month
            and counted.family_id = row_list.family_id
)

select * from final
