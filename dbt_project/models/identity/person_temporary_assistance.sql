with
delivered as (
    select * from {{ ref('stg_civil_affairs__temporary_assistance') }}
),

event as (
    {{ newest_of_event('delivered', ['application_no']) }}
),

final as (
    select
        application_no,
        person_key,
        hardship_type,
        amount as amount_yuan,
        approved_on,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
