with
delivered as (
    {{ delivered_rows('housing_fund', ['person_key'], key=['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.employer_name,
        delivered.base,
        delivered.monthly_deposit,
        delivered.balance,
        delivered.status,
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
