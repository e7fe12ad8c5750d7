with
delivered as (
    select * from {{ ref('stg_civil_affairs__marriage_register') }}
),

event as (
    {{ newest_of_event('delivered', ['certificate_no']) }}
),

spouse as (
    select
        *,
        husband_key as person_key,
        wife_key as spouse_key
    from event
    union all
    select
        *,
        wife_key as person_key,
        husband_key as spouse_key
    from event
),

final as (
    select
        certificate_no,
        person_key,
        spouse_key,
        event,
        registered_on,
        known_month,
        last_told_month,
        delivery_id,
        row_number
    from spouse
    where person_key <> spouse_key
)

select * from final
