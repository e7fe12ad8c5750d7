with
member as (
    select * from {{ ref('benefit_member_month') }}
),

final as (
    select
        counted.month,
        counted.person_key,
        counted.certificate_no,
        counted.programme,
        other.certificate_no as other_certificate_no,
        other.programme as other_programme,
        counted.approved_on,
        other.approved_on as other_approved_on,
        -- The later approval: from that day on the person was on both.
        greatest(counted.approved_on, other.approved_on) as conflict_on,
        counted.delivery_id,
        counted.row_number,
        other.delivery_id as other_delivery_id,
        other.row_number as other_row_number
    from member as counted
    inner join member as other
        on
            counted.month = other.month
            and counted.person_key = other.person_key
            and counted.certificate_no <> other.certificate_no
    where
        counted.is_counted_here
        and not other.is_counted_here
)

select * from final
