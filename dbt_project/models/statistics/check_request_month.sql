with
request as (
    select
        request_no,
        min(known_month) as month,
        min(applicant_key) as applicant_key,
        cast(count(distinct person_key) as integer) as person_count
    from {{ ref('person_check_request') }}
    group by request_no
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select
        month,
        person_key,
        household_id
    from {{ ref('household_member_month') }}
),

household as (
    select
        month,
        household_id,
        village_code,
        register_layer
    from {{ ref('household_month') }}
),

place as (
    select * from {{ ref('place') }}
),

final as (
    select
        request.month,
        request.request_no,
        request.person_count,
        coalesce(household.register_layer, 'none') as layer,
        place.village_code
    from request
    inner join month on request.month = month.month
    left join member on request.month = member.month and request.applicant_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    inner join place on coalesce(household.village_code, '') = place.told_code
)

select * from final
