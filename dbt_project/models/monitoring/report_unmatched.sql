with
report as (
    select * from {{ ref('person_community_report') }}
    where household_id is null
),

visit as (
    select
        visit_no,
        report_no,
        known_month
    from {{ ref('person_visit') }}
),

month as (
    select * from {{ ref('run_month') }}
),

division as (
    select
        code,
        county_code,
        township_code
    from {{ source('reference', 'division') }}
),

-- By number alone: nobody can tell whether a household that is not known was visited or helped otherwise.
answered as (
    select
        report.report_no,
        min(visit.known_month) as answered_month
    from report
    inner join visit on report.report_no = visit.report_no or report.report_no = visit.visit_no
    group by report.report_no
),

final as (
    select
        month.month,
        report.report_no,
        report.channel,
        report.need,
        report.reported_on,
        report.division_code,
        division.township_code,
        coalesce(division.county_code, substr(report.division_code, 1, 6)) as county_code,
        {{ months_between('report.reported_on', 'month.month') }} as waiting_months,
        report.delivery_id,
        report.row_number
    from report
    inner join month on report.known_month <= month.month
    left join division on report.division_code = division.code
    left join answered on report.report_no = answered.report_no
    where answered.answered_month is null or answered.answered_month > month.month
)

select * from final
