with
overpaid as (
    select * from {{ ref('overpayment_month') }}
),

run_month as (
    select month from {{ ref('run_month') }}
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        village_code,
        township_code,
        county_code
    from {{ ref('household_month') }}
),

summed as (
    select
        run_month.month,
        overpaid.person_key,
        overpaid.payee_key,
        overpaid.indicator,
        {{ text_list('overpaid.benefit') }} as benefits,
        min(overpaid.event) as event,
        min(overpaid.event_on) as event_on,
        min(overpaid.stop_month) as stop_month,
        min(overpaid.benefit_month) as first_benefit_month,
        max(overpaid.benefit_month) as last_benefit_month,
        cast(count(distinct overpaid.benefit_month) as integer) as benefit_month_count,
        sum(overpaid.overpaid_yuan) as overpaid_yuan,
        max(case when overpaid.is_review_needed then 1 else 0 end) = 1 as is_review_needed
    from overpaid
    inner join run_month on overpaid.known_from <= run_month.month and overpaid.known_to > run_month.month
    group by run_month.month, overpaid.person_key, overpaid.payee_key, overpaid.indicator
),

final as (
    select
        summed.month,
        summed.person_key,
        summed.payee_key,
        summed.indicator,
        summed.benefits,
        summed.event,
        summed.event_on,
        summed.stop_month,
        summed.first_benefit_month,
        summed.last_benefit_month,
        summed.benefit_month_count,
        {{ yuan('summed.overpaid_yuan') }} as overpaid_yuan,
        summed.is_review_needed,
        coalesce(of_person.household_id, of_payee.household_id) as household_id,
        household.village_code,
        household.township_code,
        household.county_code
    from summed
    left join member as of_person on summed.month = of_person.month and summed.person_key = of_person.person_key
    left join member as of_payee on summed.month = of_payee.month and summed.payee_key = of_payee.person_key
    left join household
        on
            summed.month = household.month
            and coalesce(of_person.household_id, of_payee.household_id) = household.household_id
)

select * from final
