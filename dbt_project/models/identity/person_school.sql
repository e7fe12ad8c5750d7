with
delivered as (
    select * from {{ ref('stg_education__student_register') }}
    where {{ open_since_rebuild('student_register') }}
),

final as (
    select
        person_key,
        school,
        stage,
        cast(grade as integer) as grade,
        status,
        coalesce(aided = '1', false) as is_aided,
        annual_tuition as annual_tuition_yuan,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by person_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
