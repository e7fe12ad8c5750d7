with
delivered as (
    select * from {{ ref('stg_civil_affairs__community_report') }}
),

member as (
    select * from {{ ref('household_member_month') }}
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
        event.delivery_id,
        event.row_number
    from event
    left join member
        on
            event.known_month = member.month
            and event.person_key = member.person_key
)

select * from final
