with
delivered as (
    select * from {{ ref('stg_taxation__income_tax') }}
),

event as (
    {{ newest_of_event('delivered', ['person_key', 'income_type', 'income_month']) }}
),

final as (
    select
        person_key,
        payer_uscc,
        income_type,
        income_month,
        amount as amount_yuan,
        tax as tax_yuan,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
