with
delivered as (
    {{ delivered_rows('assistance_payment', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.batch_no,
        delivered.person_key,
        delivered.benefit,
        delivered.benefit_month,
        delivered.amount,
        delivered.pay_status,
        delivered.paid_on,
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
