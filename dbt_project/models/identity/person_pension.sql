with
delivered as (
    select * from {{ ref('stg_human_resources__pension_payment') }}
),

event as (
    {{ newest_of_event('delivered', ['person_key', 'pension_type', 'pension_month']) }}
),

final as (
    select
        person_key,
        pension_type,
        pension_month,
        amount as amount_yuan,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
