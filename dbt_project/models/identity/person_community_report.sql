with
delivered as (
    select * from {{ ref('stg_civil_affairs__community_report') }}
),

member as (
    select * from {{ ref('household_member') }}
),

event as (
    {{ newest_of_event('delivered', ['report_no']) }}
),

final as (
    select
        event.report_no,
        event.person_key,
        member.household_id,
        event.channel,
        event.reported_on,
        event.need,
        event.division as division_code,
        event.known_month,
        event.last_told_month,
        event.delivery_id,
        event.row_number
    from event
    left join member
        on
            event.person_key = member.person_key
            and event.known_month >= member.known_from
            and event.known_month < member.known_to
)

select * from final
