with
request as (
    select * from {{ ref('check_request') }}
    where is_answered
),

member as (
    select * from {{ ref('check_request_member') }}
),

told as (
    select * from {{ ref('contradiction') }}
),

declared as (
    select * from {{ ref('check_request_declared') }}
    where is_declared_lower
),

between_sources as (
    select
        member.month,
        member.request_no,
        member.person_key,
        told.contradiction,
        told.source_a,
        told.class_a,
        told.delivery_a,
        told.row_a,
        told.source_b,
        told.class_b,
        told.delivery_b,
        told.row_b,
        told.source_used
    from member
    inner join told
        on
            member.person_key = told.person_key
            and member.month >= told.known_from
            and member.month < told.known_to
    where member.is_asked
),

-- What the request says of the family against what the registers say of who lives together.
about_family as (
    select
        member.month,
        member.request_no,
        member.person_key,
        case
            when not member.is_asked then 'member_not_named'
            when not member.is_known then 'member_unknown'
            when not member.is_counted then concat('member_', member.not_counted_reason)
            when member.household_id <> request.household_id then 'member_lives_elsewhere'
        end as contradiction,
        'check_request' as source_a,
        member.relation as class_a,
        member.delivery_id as delivery_a,
        member.row_number as row_a,
        'household_member_month' as source_b,
        cast(null as string) as class_b,
        cast(null as string) as delivery_b,
        cast(null as bigint) as row_b,
        cast(null as string) as source_used
    from member
    inner join request
        on
            member.month = request.month
            and member.request_no = request.request_no
),

final as (
    select * from between_sources
    union all
    select * from about_family
    where contradiction is not null
    union all
    select
        declared.month,
        declared.request_no,
        request.applicant_key as person_key,
        'income_declared_lower' as contradiction,
        'assistance_register' as source_a,
        cast(declared.declared_income_pc_yuan as string) as class_a,
        declared.delivery_id as delivery_a,
        declared.row_number as row_a,
        'person_month_means' as source_b,
        cast(declared.found_income_pc_yuan as string) as class_b,
        cast(null as string) as delivery_b,
        cast(null as bigint) as row_b,
        cast(null as string) as source_used
    from declared
    inner join request
        on
            declared.month = request.month
            and declared.request_no = request.request_no
    union all
    select
        request.month,
        request.request_no,
        request.applicant_key as person_key,
        'applicant_not_named' as contradiction,
        'check_request' as source_a,
        cast(null as string) as class_a,
        cast(null as string) as delivery_a,
        cast(null as bigint) as row_a,
        'check_request' as source_b,
        cast(null as string) as class_b,
        cast(null as string) as delivery_b,
        cast(null as bigint) as row_b,
        cast(null as string) as source_used
    from request
    left join member
        on
            request.month = member.month
            and request.request_no = member.request_no
            and member.is_applicant
    where member.person_key is null
)

select * from final
