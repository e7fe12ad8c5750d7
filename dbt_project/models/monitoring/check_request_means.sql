with
member as (
    select * from {{ ref('check_request_member') }}
    where is_asked
),

found as (
    select * from {{ ref('person_month_means') }}
),

final as (
    select
        member.month,
        member.request_no,
        member.person_key,
        found.kind,
        found.item,
        found.feed,
        found.month as found_month,
        found.data_month,
        found.item_no,
        found.gross_yuan,
        found.counted_yuan,
        found.area_m2,
        found.reason,
        found.delivery_id,
        found.row_number
    from member
    inner join found
        on
            member.person_key = found.person_key
            and member.month >= found.month
            and member.month >= found.known_month
    where {{ is_in_means_window('found', 'member.month') }}
)

select * from final
