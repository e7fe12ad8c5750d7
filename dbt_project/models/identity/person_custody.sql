with
delivered as (
    select * from {{ ref('stg_justice__custody_record') }}
    where {{ open_since_rebuild('custody_record') }}
),

final as (
    select
        person_key,
        custody_type,
        from_date,
        until_date,
        status,
        -- Community correction leaves a person at home.
        custody_type in ('1', '2') and status = '1' as is_detained,
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
