with
delivered as (
    {{ delivered_rows('assistance_register', ['applicant_key', 'person_key'], key=['certificate_no', 'person_key']) }}
),

validity as (
    {{ deliveries_in_force('division') }}
),

final as (
    select
        delivered.certificate_no,
        delivered.programme,
        delivered.applicant_key,
        delivered.person_key,
        delivered.relation,
        delivered.review_class,
        delivered.household_size,
        delivered.declared_income_pc,
        delivered.monthly_amount,
        delivered.care_mode,
        delivered.approved_on,
        delivered.reviewed_on,
        delivered.division,
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
