with
delivered as (
    {{ delivered_rows('medical_settlement', ['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.settlement_no,
        delivered.person_key,
        delivered.settled_on,
        delivered.care_type,
        delivered.icd10,
        delivered.total_cost,
        delivered.basic_paid,
        delivered.catastrophic_paid,
        delivered.medical_aid_paid,
        delivered.out_of_pocket,
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
