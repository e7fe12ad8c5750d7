with
report as (
    select * from {{ ref('person_community_report') }}
    where household_id is not null
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
        county_code
    from {{ ref('household_month') }}
),

feed as (
    select * from {{ ref('feed_month') }}
    where feed = 'visit_outcome'
),

line as (
    {{ policy_parameter('n16_months_to_answer') }}
),

visit as (
    select * from {{ ref('visit') }}
),

-- What answers a report: a visit with its number, any visit to the household since, or aid newly given since.
answer as (
    select
        report.report_no,
        visit.known_month
    from report
    inner join visit on report.report_no = visit.report_no
    union all
    select
        report.report_no,
        visit.known_month
    from report
    inner join visit on report.report_no = visit.visit_no
    union all
    select
        report.report_no,
        visit.known_month
    from report
    inner join visit on report.household_id = visit.household_id and report.reported_on <= visit.visited_on
    union all
    select
        report.report_no,
        aid.known_month
    from report
    inner join member on report.household_id = member.household_id
    inner join {{ ref('person_temporary_assistance') }} as aid
        on member.person_key = aid.person_key and member.month = aid.known_month
    where aid.approved_on >= report.reported_on
    union all
    select
        report.report_no,
        entry.month as known_month
    from report
    inner join {{ ref('benefit_member_month') }} as entry on report.household_id = entry.household_id
    where entry.approved_on >= report.reported_on
    union all
    select
        report.report_no,
        payment.known_month
    from report
    inner join member on report.household_id = member.household_id
    inner join {{ ref('person_payment') }} as payment
        on member.person_key = payment.person_key and member.month = payment.known_month
    where payment.is_paid and payment.benefit = 'LS' and payment.paid_on >= report.reported_on
),

answered as (
    select
        report_no,
        min(known_month) as answered_month
    from answer
    group by report_no
),

final as (
    select
        household.month,
        'N16' as indicator,
        household.household_id,
        report.person_key,
        cast(null as string) as level,
        max({{ months_between('report.reported_on', 'household.month') }}) as value,
        max(line.value) as threshold,
        {{ evidence_list('report.delivery_id', 'report.row_number') }} as evidence
    from report
    inner join household on report.household_id = household.household_id
    inner join line on household.month = line.month and household.county_code = line.county_code
    -- The answers of the month have to have come in.
    inner join feed on household.month = feed.month and household.county_code = feed.county_code and feed.is_arrived
    left join answered on report.report_no = answered.report_no
    where
        household.month >= report.known_month
        and {{ months_between('report.reported_on', 'household.month') }} >= line.value
        and (answered.answered_month is null or answered.answered_month > household.month)
    group by household.month, household.household_id, report.person_key
)

select * from final
