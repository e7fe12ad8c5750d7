with
delivered as (
    select * from {{ ref('stg_human_resources__unemployment_register') }}
    where {{ open_since_rebuild('unemployment_register') }}
),

final as (
    select
        person_key,
        unemployed_on,
        cause,
        monthly_benefit as monthly_benefit_yuan,
        status,
        status = '1' as is_unemployed,
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
