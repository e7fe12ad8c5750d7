with
delivered as (
    select * from {{ ref('stg_civil_affairs__assistance_register') }}
    where {{ open_since_rebuild('assistance_register') }}
),

final as (
    select
        certificate_no,
        programme,
        case
            when programme = '21' then 'destitute'
            when programme in ('11', '12') then 'dibao'
            when programme = '31' then 'marginal'
            when programme = '41' then 'rigid_expenditure'
        end as layer,
        applicant_key,
        person_key,
        relation,
        person_key = applicant_key as is_applicant,
        review_class,
        cast(household_size as integer) as household_size,
        declared_income_pc as declared_income_pc_yuan,
        -- The household total stands on the row of the applicant only.
        {{ yuan("max(monthly_amount) over (partition by certificate_no, valid_from)") }} as monthly_amount_yuan,
        care_mode,
        approved_on,
        reviewed_on,
        division as division_code,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    qualify
        row_number() over (
            partition by certificate_no, person_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
