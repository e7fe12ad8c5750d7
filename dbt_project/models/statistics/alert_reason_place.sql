with
alert as (
    select * from {{ ref('alert_stand_month') }}
),

reason as (
    select
        alert_id,
        month,
        indicator
    from {{ ref('alert_reason') }}
),

final as (
    select
        alert.month,
        alert.alert_id,
        reason.indicator,
        alert.side,
        alert.layer,
        alert.village_code
    from alert
    inner join reason on alert.alert_id = reason.alert_id and alert.month = reason.month
)

select * from final
