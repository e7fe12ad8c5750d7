with
counted as (
    select * from {{ source('reference', 'rule_count') }}
),

delivery as (
    select
        delivery_id,
        period,
        status
    from {{ source('reference', 'delivery') }}
),

final as (
    select
        counted.delivery_id,
        counted.feed,
        cast(concat(delivery.period, '-01') as date) as month,
        delivery.status,
        counted.rule,
        counted.ledger_count,
        counted.quarantine_count,
        counted.accepted_count,
        counted.difference as difference_count
    from counted
    inner join delivery on counted.delivery_id = delivery.delivery_id
)

select * from final
