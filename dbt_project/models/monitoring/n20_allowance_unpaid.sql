with
due as (
    select * from {{ ref('allowance_due_month') }}
    where is_missing
),

final as (
    select
        month,
        'N20' as indicator,
        household_id,
        person_key,
        cast(null as string) as level,
        max(value) as value,
        max(threshold) as threshold,
        {{ evidence_list() }} as evidence
    from due
    group by month, household_id, person_key
)

select * from final
