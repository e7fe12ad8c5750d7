with
member as (
    select * from {{ ref('benefit_member_month') }}
    where {{ since_rebuild('month') }}
),

division as (
    select * from {{ source('reference', 'division') }}
    where area_type is not null
),

sized as (
    select
        *,
        cast(count(*) over (partition by month, certificate_no) as integer) as member_count
    from member
    -- The applicant speaks for the certificate; where that row is missing, the first one told.
    qualify
        row_number() over (
            partition by month, certificate_no
            order by is_applicant desc, delivery_id, row_number
        ) = 1
),

final as (
    select
        sized.month,
        sized.certificate_no,
        sized.programme,
        sized.layer,
        sized.household_id,
        sized.applicant_key,
        sized.member_count,
        sized.household_size,
        sized.declared_income_pc_yuan,
        sized.monthly_amount_yuan,
        sized.review_class,
        sized.approved_on,
        sized.reviewed_on,
        sized.division_code as village_code,
        substr(sized.division_code, 1, 9) as township_code,
        substr(sized.division_code, 1, 6) as county_code,
        coalesce(division.area_type, case when sized.programme = '11' then 'urban' else 'rural' end) as area_type,
        sized.valid_from < sized.month as is_register_stale,
        sized.delivery_id,
        sized.row_number
    from sized
    left join division
        on sized.division_code = division.code
)

select * from final
