with
delivered as (
    select * from {{ ref('stg_power_supply__utility_usage') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

event as (
    {{ newest_of_event('delivered', ['account_no', 'usage_month']) }}
),

final as (
    select
        event.account_no,
        event.person_key,
        member.household_id,
        event.division as division_code,
        event.usage_month,
        event.kwh,
        event.arrears as arrears_yuan,
        event.known_month,
        event.delivery_id,
        event.row_number
    from event
    left join member
        on
            event.usage_month = member.month
            and event.person_key = member.person_key
)

select * from final
