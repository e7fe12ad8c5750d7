with
delivered as (
    {{ delivered_rows('population_register', ['person_key'], key=['person_key']) }}
),

validity as (
    {{ deliveries_in_force('registered_division') }}
),

final as (
    select
        delivered.person_key,
        delivered.sex,
        delivered.ethnicity,
        delivered.born_on,
        delivered.hukou_no,
        delivered.relation_to_head,
        delivered.hukou_type,
        delivered.registered_division,
        delivered.residence_division,
        delivered.marital_status,
        delivered.status,
        delivered.changed_on,
        delivered.delivery_id,
        delivered.row_number,
        delivered.period,
        validity.valid_from,
        validity.valid_to
    from delivered
    inner join validity
        on {{ row_in_force('delivered', 'validity', 'registered_division') }}
)

select * from final
