with
part as (
    select * from {{ ref('household_part') }}
),

move as (
    select * from {{ ref('household_move') }}
),

certificate as (
    select * from {{ ref('benefit_household_member') }}
),

month as (
    select * from {{ ref('run_month') }}
),

first_part as (
    select min(epoch_from) as epoch_from from part
),

epoch as (
    select distinct
        epoch_from,
        epoch_to
    from part
    union distinct
    -- Where the first population register comes late or never, the months before it are an epoch all the same.
    select
        min(month.month) as epoch_from,
        coalesce(min(first_part.epoch_from), date '9999-12-31') as epoch_to
    from month
    cross join first_part
    having min(month.month) < coalesce(min(first_part.epoch_from), date '9999-12-31')
),

resident as (
    select
        part.epoch_from,
        part.epoch_to,
        part.person_key,
        part.hukou_no,
        part.relation_to_head,
        part.status,
        part.changed_on,
        part.place_code,
        part.registered_division,
        part.hukou_type,
        part.is_resident,
        coalesce(move.part_key, part.part_key) as part_key,
        coalesce(move.basis, 'hukou') as basis
    from part
    left join move
        on
            part.epoch_from = move.epoch_from
            and part.person_key = move.person_key
    where part.is_resident
),

part_size as (
    select
        epoch_from,
        hukou_no,
        part_key,
        count(*) as resident_count,
        count(*) filter (where relation_to_head = '02') as head_count
    from resident
    group by epoch_from, hukou_no, part_key
),

largest_part as (
    select * from part_size
    qualify
        row_number() over (
            partition by epoch_from, hukou_no
            order by resident_count desc, head_count desc, part_key
        ) = 1
),

-- The dead and those who moved away stay known with those whom they left.
gone as (
    select
        part.epoch_from,
        part.epoch_to,
        part.person_key,
        part.hukou_no,
        part.relation_to_head,
        part.status,
        part.changed_on,
        part.place_code,
        part.registered_division,
        part.hukou_type,
        part.is_resident,
        case
            when part_size.part_key is not null then part.part_key
            else coalesce(largest_part.part_key, part.part_key)
        end as part_key,
        'hukou' as basis
    from part
    left join part_size
        on
            part.epoch_from = part_size.epoch_from
            and part.hukou_no = part_size.hukou_no
            and part.part_key = part_size.part_key
    left join largest_part
        on
            part.epoch_from = largest_part.epoch_from
            and part.hukou_no = largest_part.hukou_no
    where not part.is_resident
),

-- On the assistance register and in no population register: with the applicant, else by the certificate alone.
unregistered as (
    select
        epoch.epoch_from,
        epoch.epoch_to,
        certificate.person_key,
        certificate.relation,
        certificate.certificate_no,
        certificate.division_code,
        applicant.part_key
    from epoch
    inner join certificate
        on
            epoch.epoch_to > certificate.valid_from
            and epoch.epoch_from < certificate.valid_to
    left join part as own
        on
            epoch.epoch_from = own.epoch_from
            and certificate.person_key = own.person_key
    left join resident as applicant
        on
            epoch.epoch_from = applicant.epoch_from
            and certificate.applicant_key = applicant.person_key
    where own.person_key is null
    qualify
        row_number() over (
            partition by epoch.epoch_from, certificate.person_key
            order by certificate.valid_from desc, certificate.certificate_no
        ) = 1
),

registered_only as (
    select
        epoch_from,
        epoch_to,
        person_key,
        cast(null as varchar) as hukou_no,
        case when relation = '01' then '02' else relation end as relation_to_head,
        '1' as status,
        cast(null as date) as changed_on,
        division_code as place_code,
        division_code as registered_division,
        cast(null as varchar) as hukou_type,
        true as is_resident,
        coalesce(part_key, concat_ws('|', 'certificate', certificate_no)) as part_key,
        'register' as basis
    from unregistered
),

known as (
    select * from resident
    union all
    select * from gone
    union all
    select * from registered_only
),

final as (
    select
        *,
        -- Where a person was first known. Households take their identity from it, see household_identity.
        first_value(part_key) over (partition by person_key order by epoch_from) as origin
    from known
)

select * from final
