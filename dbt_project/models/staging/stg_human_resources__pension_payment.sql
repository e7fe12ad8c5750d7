with
delivered as (
    {{ delivered_rows('pension_payment', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.pension_type,
        delivered.pension_month,
        delivered.amount,
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
