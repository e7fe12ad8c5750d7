with
resident as (
    select * from {{ ref('resident') }}
),

part as (
    select
        *,
        concat_ws('|', hukou_no, place_code) as part_key
    from resident
),

divorced_head as (
    select distinct
        epoch_from,
        part_key
    from part
    where
        relation_to_head = '02'
        and marital_status = '40'
        and is_resident
),

final as (
    select
        part.epoch_from,
        part.epoch_to,
        part.person_key,
        part.hukou_no,
        part.relation_to_head,
        part.hukou_type,
        part.registered_division,
        part.place_code,
        part.marital_status,
        part.status,
        part.changed_on,
        part.is_resident,
        part.is_minor,
        -- Divorced and still under one hukou number: two households, the children stay with the head.
        case
            when divorced_head.part_key is null then part.part_key
            when part.relation_to_head = '10' and part.marital_status = '40' and part.is_resident
                then concat_ws('|', part.part_key, part.person_key)
            else part.part_key
        end as part_key
    from part
    left join divorced_head
        on
            part.epoch_from = divorced_head.epoch_from
            and part.part_key = divorced_head.part_key
)

select * from final
