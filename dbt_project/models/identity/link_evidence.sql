with
evidence as (
    select * from {{ source('reference', 'link_evidence') }}
),

final as (
    select
        evidence.delivery_id,
        evidence.row_number,
        evidence.column_name,
        evidence.pass,
        coalesce(person_alias.resolved_key, evidence.person_key) as person_key,
        evidence.other_key,
        evidence.confirmed_by,
        evidence.against,
        evidence.state,
        evidence.decided_at
    from evidence
    left join {{ source('reference', 'person_alias') }} as person_alias
        on evidence.person_key = person_alias.person_key
)

select * from final
