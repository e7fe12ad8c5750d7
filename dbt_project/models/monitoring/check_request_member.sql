with
asked as (
    select * from {{ ref('check_request_told') }}
),

request as (
    select * from {{ ref('check_request') }}
    where is_answered
),

known as (
    select * from {{ ref('household_member_month') }}
),

member as (
    select
        asked.month,
        asked.request_no,
        asked.person_key,
        asked.relation,
        asked.person_key = asked.applicant_key as is_applicant,
        true as is_asked,
        known.household_id,
        known.person_key is not null as is_known,
        -- Of somebody whom no feed knows nothing speaks against counting.
        coalesce(known.is_counted, true) as is_counted,
        known.not_counted_reason,
        known.sex,
        known.age_years,
        asked.delivery_id,
        asked.row_number
    from asked
    inner join request
        on
            asked.month = request.month
            and asked.request_no = request.request_no
    left join known
        on
            asked.month = known.month
            and asked.person_key = known.person_key
),

-- Who lives with the applicant by the facts and is not named in the request; the family is who was asked for.
unnamed as (
    select
        request.month,
        request.request_no,
        known.person_key,
        cast(null as string) as relation,
        false as is_applicant,
        false as is_asked,
        known.household_id,
        true as is_known,
        false as is_counted,
        known.not_counted_reason,
        known.sex,
        known.age_years,
        cast(null as string) as delivery_id,
        cast(null as bigint) as row_number
    from request
    inner join known
        on
            request.month = known.month
            and request.household_id = known.household_id
            and known.is_counted
    left join asked
        on
            request.month = asked.month
            and request.request_no = asked.request_no
            and known.person_key = asked.person_key
    where asked.person_key is null
),

final as (
    select * from member
    union all
    select * from unnamed
)

select * from final
