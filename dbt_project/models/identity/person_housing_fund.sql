with
delivered as (
    select * from {{ ref('stg_housing_fund_center__housing_fund') }}
    where {{ open_since_rebuild('housing_fund') }}
),

final as (
    select
        person_key,
        base as base_yuan,
        monthly_deposit as monthly_deposit_yuan,
        balance as balance_yuan,
        status,
        status = '1' as is_active,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by person_key, valid_from
            order by delivery_id, row_number desc
        ) = 1
)

select * from final
