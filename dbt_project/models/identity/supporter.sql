with
relation as (
    select * from {{ ref('child_parent') }}
),

couple as (
    select * from {{ ref('couple') }}
    where is_married
),

final as (
    select
        parent_key as person_key,
        child_key as supporter_key,
        'child' as relation,
        known_month as valid_from,
        date '9999-12-31' as valid_to,
        delivery_id,
        row_number
    from relation
    union all
    select
        child_key as person_key,
        parent_key as supporter_key,
        'parent' as relation,
        known_month as valid_from,
        date '9999-12-31' as valid_to,
        delivery_id,
        row_number
    from relation
    union all
    select
        person_key,
        spouse_key as supporter_key,
        'spouse' as relation,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from couple
)

select * from final
