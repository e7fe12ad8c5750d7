with
delivery as (
    select * from {{ source('reference', 'delivery') }}
    where status in ('accepted', 'held') and period is not null
),

replaced as (
    select supersedes as delivery_id
    from delivery
    where status = 'accepted' and supersedes is not null
),

counted as (
    select
        delivery.delivery_id,
        cast(concat(delivery.period, '-01') as date) as month
    from delivery
    left join replaced on delivery.delivery_id = replaced.delivery_id
    where replaced.delivery_id is null
),

defect as (
    select
        'quarantined' as treatment,
        fault.feed,
        fault.delivery_id,
        fault.column as column_name,
        fault.reason
    from {{ source('reference', 'quarantine_row') }} as fault
    union all
    select
        'nulled' as treatment,
        fault.feed,
        fault.delivery_id,
        fault.column as column_name,
        fault.reason
    from {{ source('reference', 'cell_defect') }} as fault
),

final as (
    select
        counted.month,
        defect.feed,
        defect.treatment,
        defect.reason,
        coalesce(defect.column_name, '') as column_name,
        cast(count(*) as integer) as row_count
    from defect
    inner join counted on defect.delivery_id = counted.delivery_id
    group by counted.month, defect.feed, defect.treatment, defect.reason, coalesce(defect.column_name, '')
)

select * from final
