with
delivered as (
    select * from {{ ref('stg_power_supply__utility_usage') }}
),

member as (
    select * from {{ ref('household_member') }}
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
        event.last_told_month,
        event.delivery_id,
        event.row_number
    from event
    left join member
        on
            event.person_key = member.person_key
            -- The month of use may lie after that of the delivery by a slip; nobody knows who will live there then.
            and least(event.usage_month, event.known_month) >= member.known_from
            and least(event.usage_month, event.known_month) < member.known_to
)

select * from final
