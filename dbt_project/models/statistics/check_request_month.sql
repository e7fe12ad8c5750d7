with
request as (
    select
        min(known_month) as month,
        request_no,
        min(applicant_key) as applicant_key,
        cast(count(distinct person_key) as integer) as person_count
    from {{ ref('person_check_request') }}
    group by request_no
),

-- A request sent again in a later month has its answer of the first.
answer as (
    select
        month,
        request_no,
        coalesce(refusal_reason, 'answered') as answer
    from {{ ref('check_request') }}
    where {{ since_rebuild('month') }}
),

placed as (
    {{ told_at_home('request', person='applicant_key') }}
),

final as (
    select
        placed.month,
        placed.request_no,
        placed.person_count,
        answer.answer,
        placed.layer,
        placed.village_code
    from placed
    inner join answer on placed.month = answer.month and placed.request_no = answer.request_no
)

select * from final
