with
final as (
    select
        person_key,
        resolved_key,
        decided_at
    from {{ source('reference', 'person_alias') }}
)

select * from final
