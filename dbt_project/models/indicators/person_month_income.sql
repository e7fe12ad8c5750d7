with
means as (
    select * from {{ ref('person_month_means') }}
    where kind = 'income'
),

member as (
    select * from {{ ref('household_member_month') }}
),

summed as (
    select
        month,
        person_key,
        item as source,
        min(feed) as feed,
        item in ('wage', 'labour_service') as is_work,
        sum(gross_yuan) as gross_yuan,
        sum(counted_yuan) as counted_yuan,
        {{ value_at_max('delivery_id', 'gross_yuan', ['delivery_id', 'row_number']) }} as delivery_id,
        {{ value_at_max('row_number', 'gross_yuan', ['delivery_id', 'row_number']) }} as row_number
    from means
    group by month, person_key, item
),

final as (
    select
        summed.month,
        summed.person_key,
        member.household_id,
        summed.source,
        summed.feed,
        summed.is_work,
        {{ yuan('summed.gross_yuan') }} as gross_yuan,
        {{ yuan('summed.counted_yuan') }} as counted_yuan,
        summed.delivery_id,
        summed.row_number
    from summed
    inner join member
        on
            summed.month = member.month
            and summed.person_key = member.person_key
)

select * from final
