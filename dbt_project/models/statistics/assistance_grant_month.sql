with
granted as (
    select
        known_month as month,
        application_no,
        person_key,
        hardship_type,
        amount_yuan
    from {{ ref('person_temporary_assistance') }}
    where {{ since_rebuild('known_month') }}
),

final as (
    {{ told_at_home('granted', person='person_key') }}
)

select * from final
