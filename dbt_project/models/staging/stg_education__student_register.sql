with
delivered as (
    {{ delivered_rows('student_register', ['person_key'], key=['person_key']) }}
),

validity as (
    {{ deliveries_in_force() }}
),

final as (
    select
        delivered.person_key,
        delivered.school,
        delivered.stage,
        delivered.grade,
        delivered.status,
        delivered.aided,
        delivered.annual_tuition,
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
