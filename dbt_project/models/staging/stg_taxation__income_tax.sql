with
delivered as (
    {{ delivered_rows('income_tax', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.payer_uscc,
        delivered.income_month,
        delivered.income_type,
        delivered.amount,
        delivered.tax,
        delivered.delivery_id,
        delivered.row_number,
        delivered.period,
        validity.valid_from,
        validity.valid_to
    from delivered
    inner join validity
        on {{ row_in_force('delivered', 'validity') }}
)

select * from final
