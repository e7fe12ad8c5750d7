with
source as (
    select * from {{ ref('source_month') }}
),

needed as (
    {{ means_source() }}
),

final as (
    select
        source.month,
        source.county_code,
        needed.kind,
        source.feed,
        source.is_covered,
        source.data_month,
        source.is_stale,
        source.has_ever_come
    from source
    inner join needed
        on source.feed = needed.feed
)

select * from final
