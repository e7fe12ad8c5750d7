with
delivered as (
    select * from {{ ref('stg_medical_insurance__medical_settlement') }}
),

event as (
    {{ newest_of_event('delivered', ['settlement_no']) }}
),

final as (
    select
        settlement_no,
        person_key,
        settled_on,
        greatest({{ month_of('settled_on') }}, known_month) as settled_month,
        care_type,
        icd10,
        total_cost as total_cost_yuan,
        catastrophic_paid as catastrophic_paid_yuan,
        medical_aid_paid as medical_aid_paid_yuan,
        out_of_pocket as out_of_pocket_yuan,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
