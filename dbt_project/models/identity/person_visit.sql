with
delivered as (
    select * from {{ ref('stg_civil_affairs__visit_outcome') }}
),

member as (
    select * from {{ ref('household_member') }}
),

report as (
    select * from {{ ref('person_community_report') }}
),

-- One alert may be visited twice: the day tells the visits apart.
event as (
    {{ newest_of_event('delivered', ['alert_id', 'visited_on']) }}
),

final as (
    select
        event.alert_id as visit_no,
        coalesce(report.report_no, event.report_no) as report_no,
        coalesce(event.person_key, report.person_key) as person_key,
        coalesce(member.household_id, report.household_id) as household_id,
        event.visited_on,
        event.outcome,
        event.programme,
        event.known_month,
        event.last_told_month,
        event.delivery_id,
        event.row_number
    from event
    left join report
        on coalesce(event.report_no, event.alert_id) = report.report_no
    left join member
        on
            event.person_key = member.person_key
            and event.known_month >= member.known_from
            and event.known_month < member.known_to
)

select * from final
