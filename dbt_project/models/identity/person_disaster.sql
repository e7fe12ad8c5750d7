with
delivered as (
    select * from {{ ref('stg_emergency__disaster_event') }}
),

event as (
    {{ newest_of_event('delivered', ['report_no', 'person_key']) }}
),

final as (
    select
        report_no,
        person_key,
        disaster_type,
        occurred_on,
        division as division_code,
        house_damage,
        loss as loss_yuan,
        cast(casualties as integer) as casualties_count,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from event
)

select * from final
