with
delivered as (
    select * from {{ ref('stg_civil_affairs__assistance_payment') }}
),

event as (
    {{ newest_of_event('delivered', ['person_key', 'benefit', 'benefit_month', 'batch_no']) }}
),

final as (
    select
        person_key,
        batch_no,
        benefit,
        benefit_month,
        amount as amount_yuan,
        pay_status = '1' as is_paid,
        paid_on,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
