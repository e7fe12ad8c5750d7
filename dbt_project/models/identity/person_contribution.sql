with
delivered as (
    select * from {{ ref('stg_human_resources__social_insurance') }}
),

event as (
    {{ newest_of_event('delivered', ['person_key', 'insurance', 'contribution_month']) }}
),

final as (
    select
        person_key,
        insurance,
        contribution_month,
        employer_uscc,
        base as base_yuan,
        status,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
