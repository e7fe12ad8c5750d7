with
triggered as (
    select
        month,
        price_month,
        county_code
    from {{ ref('price_subsidy_month') }}
    where trigger_status = 'triggered'
),

price_month as (
    select distinct price_month from triggered
),

run_month as (
    select * from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

certificate as (
    select * from {{ ref('benefit_member_month') }}
),

child as (
    select * from {{ ref('person_child_register') }}
    where child_category in ('1', '2')
),

monitored as (
    select * from {{ ref('person_rural_monitoring') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

-- Everybody of a group in the price month. Those of a certificate are paid together, by its applicant perhaps.
in_group as (
    select
        certificate.month as price_month,
        certificate.person_key,
        certificate.layer as subsidy_group,
        certificate.certificate_no as unit_id,
        certificate.division_code,
        certificate.delivery_id,
        certificate.row_number
    from certificate
    inner join price_month on certificate.month = price_month.price_month
    union all
    select
        price_month.price_month,
        child.person_key,
        case when child.child_category = '1' then 'orphan' else 'unattended' end as subsidy_group,
        child.person_key as unit_id,
        cast(null as string) as division_code,
        child.delivery_id,
        child.row_number
    from child
    inner join price_month on {{ in_force('price_month.price_month', 'child') }}
    inner join majority on price_month.price_month = majority.month
    inner join member on price_month.price_month = member.month and child.person_key = member.person_key
    where member.age_years < majority.value
    union all
    select
        price_month.price_month,
        monitored.person_key,
        'relapse_risk' as subsidy_group,
        monitored.household_no as unit_id,
        cast(null as string) as division_code,
        monitored.delivery_id,
        monitored.row_number
    from monitored
    inner join price_month on {{ in_force('price_month.price_month', 'monitored') }}
    inner join run_month on price_month.price_month = run_month.month
    where monitored.cleared_on is null or monitored.cleared_on > run_month.month_end
),

placed as (
    select
        in_group.*,
        member.household_id,
        member.not_counted_reason,
        coalesce(household.village_code, in_group.division_code) as village_code,
        substr(coalesce(household.village_code, in_group.division_code), 1, 6) as county_code
    from in_group
    left join member on in_group.price_month = member.month and in_group.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
),

precedence as (
    {{ policy_parameter('price_subsidy_group') }}
),

amount as (
    {{ policy_parameter('price_subsidy_amount') }}
),

person as (
    select * from {{ ref('person') }}
),

-- Entitled: a group that policy names, alive and here at the end of the price month as far as the month knows.
entitled as (
    select
        triggered.month,
        placed.price_month,
        placed.person_key,
        placed.subsidy_group,
        placed.unit_id,
        placed.household_id,
        placed.village_code,
        placed.county_code,
        precedence.value as precedence,
        placed.delivery_id,
        placed.row_number
    from placed
    inner join triggered
        on placed.price_month = triggered.price_month and placed.county_code = triggered.county_code
    inner join run_month on placed.price_month = run_month.month
    inner join precedence
        on
            placed.price_month = precedence.month
            and placed.county_code = precedence.county_code
            and placed.subsidy_group = precedence.dimension_key
    left join person on placed.person_key = person.person_key
    where
        precedence.value > 0
        and placed.not_counted_reason is null
        and (
            person.died_on is null
            or person.died_on > run_month.month_end
            or person.death_known_month > triggered.month
        )
),

in_groups as (
    select
        month,
        price_month,
        person_key,
        {{ text_list('subsidy_group') }} as subsidy_groups,
        {{ evidence_list() }} as evidence
    from entitled
    group by month, price_month, person_key
),

-- Once, by the group that policy puts first.
payee as (
    select
        entitled.*,
        {{ yuan('amount.value') }} as amount_due_yuan
    from entitled
    left join amount
        on
            entitled.price_month = amount.month
            and entitled.county_code = amount.county_code
            and entitled.subsidy_group = amount.dimension_key
    qualify
        row_number() over (
            partition by entitled.month, entitled.price_month, entitled.person_key
            order by entitled.precedence, entitled.unit_id, entitled.delivery_id, entitled.row_number
        ) = 1
),

wj_payment as (
    select * from {{ ref('person_payment') }}
    where benefit = 'WJ'
),

looked_at as (
    select distinct
        month,
        price_month
    from triggered
),

paid_person as (
    select
        looked_at.month,
        looked_at.price_month,
        wj_payment.person_key,
        sum(case when wj_payment.is_paid then wj_payment.amount_yuan else 0 end) as amount_paid_yuan,
        sum(case when wj_payment.is_paid and wj_payment.amount_yuan > 0 then 1 else 0 end) as payment_count,
        bool_or(not wj_payment.is_paid) as is_returned,
        {{ evidence_list('wj_payment.delivery_id', 'wj_payment.row_number') }} as evidence
    from looked_at
    inner join wj_payment
        on looked_at.price_month = wj_payment.benefit_month and looked_at.month >= wj_payment.known_month
    group by looked_at.month, looked_at.price_month, wj_payment.person_key
),

-- Who may have been paid for a unit: its payees, and the applicant of a certificate who is none.
unit_person as (
    select
        month,
        price_month,
        unit_id,
        person_key
    from payee
    union
    select distinct
        payee.month,
        payee.price_month,
        payee.unit_id,
        certificate.applicant_key as person_key
    from payee
    inner join certificate
        on payee.price_month = certificate.month and payee.unit_id = certificate.certificate_no
    left join payee as elsewhere
        on
            payee.month = elsewhere.month
            and payee.price_month = elsewhere.price_month
            and certificate.applicant_key = elsewhere.person_key
    where elsewhere.person_key is null and certificate.applicant_key is not null
),

unit_paid as (
    select
        unit_person.month,
        unit_person.price_month,
        unit_person.unit_id,
        sum(paid_person.amount_paid_yuan) as amount_paid_yuan,
        bool_or(paid_person.is_returned) as is_returned
    from unit_person
    inner join paid_person
        on
            unit_person.month = paid_person.month
            and unit_person.price_month = paid_person.price_month
            and unit_person.person_key = paid_person.person_key
    group by unit_person.month, unit_person.price_month, unit_person.unit_id
),

unit_due as (
    select
        month,
        price_month,
        unit_id,
        sum(amount_due_yuan) as amount_due_yuan
    from payee
    group by month, price_month, unit_id
),

arrival as (
    {{ arrived_months('assistance_payment') }}
),

follow as (
    {{ city_policy('price_subsidy_follow_months') }}
),

compared as (
    select
        payee.month,
        payee.price_month,
        payee.person_key,
        payee.household_id,
        payee.village_code,
        payee.county_code,
        payee.subsidy_group,
        in_groups.subsidy_groups,
        payee.unit_id,
        payee.amount_due_yuan,
        coalesce(paid_person.amount_paid_yuan, 0) as amount_paid_yuan,
        unit_due.amount_due_yuan as unit_due_yuan,
        coalesce(unit_paid.amount_paid_yuan, 0) as unit_paid_yuan,
        coalesce(paid_person.payment_count, 0) as payment_count,
        coalesce(unit_paid.is_returned, false) as is_returned,
        coalesce(arrival.is_arrived, false) as is_told,
        {{ months_between('payee.price_month', 'payee.month') }} >= follow.value as is_over,
        cast(null as string) as not_due_reason,
        {{ evidence_concat(
            "in_groups.evidence", "coalesce(paid_person.evidence, " ~ no_evidence() ~ ")"
        ) }} as evidence
    from payee
    inner join in_groups
        on
            payee.month = in_groups.month
            and payee.price_month = in_groups.price_month
            and payee.person_key = in_groups.person_key
    inner join unit_due
        on
            payee.month = unit_due.month
            and payee.price_month = unit_due.price_month
            and payee.unit_id = unit_due.unit_id
    inner join follow on payee.price_month = follow.month
    left join unit_paid
        on
            payee.month = unit_paid.month
            and payee.price_month = unit_paid.price_month
            and payee.unit_id = unit_paid.unit_id
    left join paid_person
        on
            payee.month = paid_person.month
            and payee.price_month = paid_person.price_month
            and payee.person_key = paid_person.person_key
    left join arrival on payee.month = arrival.month and payee.county_code = arrival.county_code
),

lag_months as (
    {{ city_policy('stop_lag_months') }}
),

-- Paid for a triggered month without being in any group; in the month of a death or move policy still lets it pass.
undue as (
    select
        paid_person.month,
        paid_person.price_month,
        paid_person.person_key,
        member.household_id,
        household.village_code,
        household.county_code,
        cast(null as string) as subsidy_group,
        cast(null as string) as subsidy_groups,
        cast(null as string) as unit_id,
        cast(0 as decimal(14, 2)) as amount_due_yuan,
        paid_person.amount_paid_yuan,
        cast(0 as decimal(14, 2)) as unit_due_yuan,
        paid_person.amount_paid_yuan as unit_paid_yuan,
        paid_person.payment_count,
        paid_person.is_returned,
        true as is_told,
        true as is_over,
        case
            when person.died_on is not null and paid_person.month >= person.death_known_month then 'dead'
            when member.not_counted_reason is not null then member.not_counted_reason
            else 'no_group'
        end as not_due_reason,
        paid_person.evidence
    from paid_person
    inner join lag_months on paid_person.price_month = lag_months.month and lag_months.dimension_key = 'death'
    left join unit_person
        on
            paid_person.month = unit_person.month
            and paid_person.price_month = unit_person.price_month
            and paid_person.person_key = unit_person.person_key
    left join person on paid_person.person_key = person.person_key
    left join member on paid_person.price_month = member.month and paid_person.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    where
        unit_person.person_key is null
        and paid_person.amount_paid_yuan > 0
        and not coalesce(
            {{ months_between('coalesce(person.died_on, member.not_counted_since)', 'paid_person.price_month') }}
            between 0 and lag_months.value - 1,
            false
        )
),

both_sides as (
    select * from compared
    union all
    select * from undue
),

final as (
    select
        month,
        price_month,
        person_key,
        household_id,
        village_code,
        substr(village_code, 1, 9) as township_code,
        county_code,
        subsidy_group,
        subsidy_groups,
        unit_id,
        amount_due_yuan,
        {{ yuan('amount_paid_yuan') }} as amount_paid_yuan,
        {{ yuan('unit_due_yuan') }} as unit_due_yuan,
        {{ yuan('unit_paid_yuan') }} as unit_paid_yuan,
        case
            when not_due_reason is not null then 'undue'
            when amount_due_yuan is null then 'amount_unknown'
            when payment_count > 1 and unit_paid_yuan > unit_due_yuan then 'double'
            when unit_paid_yuan > unit_due_yuan then 'too_much'
            when unit_paid_yuan = unit_due_yuan or amount_paid_yuan >= amount_due_yuan then 'paid'
            when amount_paid_yuan > 0 or unit_paid_yuan > 0 then 'too_little'
            when is_returned then 'returned'
            when is_over and is_told then 'missing'
            when is_over then 'unknown'
            else 'waiting'
        end as payment_status,
        not_due_reason,
        evidence
    from both_sides
)

select * from final
