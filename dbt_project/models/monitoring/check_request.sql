with
asked as (
    select * from {{ ref('check_request_told') }}
),

known as (
    select * from {{ ref('household_member_month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

request as (
    select
        asked.month,
        asked.request_no,
        min(asked.applicant_key) as applicant_key,
        min(asked.purpose) as purpose,
        min(asked.requested_on) as requested_on,
        min(asked.requested_by) as requested_by,
        min(asked.authorisation_no) as authorisation_no,
        min(asked.authorised_until) as authorised_until,
        cast(count(*) as integer) as member_count,
        cast(count(known.person_key) as integer) as known_member_count,
        count(distinct asked.applicant_key) > 1 as has_several_applicants,
        -- Each row carries the authorisation of its member; one that is missing or has ended closes the whole request.
        bool_or(asked.authorisation_no is null or trim(asked.authorisation_no) = '') as is_authorisation_missing,
        bool_or(asked.authorised_until is null) as is_end_missing,
        -- An authorisation has to hold on the day of the request, and when the data of the month are looked at.
        bool_or(asked.authorised_until < greatest(coalesce(asked.requested_on, asked.month), asked.month))
            as is_authorisation_ended
    from asked
    left join known
        on
            asked.month = known.month
            and asked.person_key = known.person_key
    group by asked.month, asked.request_no
),

-- The place whose lines count is that of the applicant.
placed as (
    select
        request.*,
        known.household_id,
        household.village_code,
        household.township_code,
        household.county_code,
        household.area_type,
        household.register_layer,
        known.person_key is not null as is_applicant_known
    from request
    left join known
        on
            request.month = known.month
            and request.applicant_key = known.person_key
    left join household
        on
            known.month = household.month
            and known.household_id = household.household_id
),

decided as (
    select
        *,
        case
            when has_several_applicants then 'several_applicants'
            when is_authorisation_missing or is_end_missing then 'authorisation_missing'
            when is_authorisation_ended then 'authorisation_ended'
            when not is_applicant_known then 'applicant_unknown'
        end as refusal_reason
    from placed
),

final as (
    select
        month,
        request_no,
        applicant_key,
        purpose,
        requested_on,
        requested_by,
        authorisation_no,
        authorised_until,
        member_count,
        refusal_reason is null as is_answered,
        refusal_reason,
        -- Of whom nobody may know, nothing is said, not even how many of them are known.
        case when refusal_reason is null then known_member_count end as known_member_count,
        case when refusal_reason is null then household_id end as household_id,
        case when refusal_reason is null then village_code end as village_code,
        case when refusal_reason is null then township_code end as township_code,
        case when refusal_reason is null then county_code end as county_code,
        case when refusal_reason is null then area_type end as area_type,
        case when refusal_reason is null then register_layer end as register_layer
    from decided
)

select * from final
