with
delivered as (
    {{ delivered_rows('utility_usage', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.account_no,
        delivered.person_key,
        delivered.division,
        delivered.usage_month,
        delivered.kwh,
        delivered.arrears,
        delivered.delivery_id,
        delivered.row_number,
        delivered.period,
        validity.valid_from,
        validity.valid_to
    from delivered
    inner join validity
        on {{ row_in_force('delivered', 'validity', 'division') }}
)

select * from final
