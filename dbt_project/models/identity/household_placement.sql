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

guardian as (
    select * from {{ ref('person_child_register') }}
    where guardian_key is not null
),

request_told as (
    select * from {{ ref('stg_civil_affairs__check_request') }}
),

request as (
    {{ first_of_event('request_told', ['request_no', 'person_key']) }}
),

person as (
    select * from {{ ref('person') }}
),

month as (
    select * from {{ ref('run_month') }}
),

late as (
    {{ city_policy('late_news_months') }}
),

-- Most people live where the register says. Only of the others are the months looked at.
special as {{ step() }} (
    select person_key from move
    union distinct
    select person_key from part
    where not is_resident
),

special_month as {{ step() }} (
    select
        month.month,
        part.*
    from part
    inner join special
        on part.person_key = special.person_key
    inner join month
        on {{ in_force('month.month', 'part') }}
),

moved as {{ step() }} (
    select
        special_month.month,
        special_month.person_key,
        coalesce(move.part_key, special_month.part_key) as part_key,
        coalesce(move.basis, 'hukou') as basis,
        special_month.relation_to_head,
        special_month.hukou_type,
        special_month.registered_division,
        special_month.place_code,
        special_month.status,
        case when move.person_key is null then special_month.changed_on else move.since_day end as changed_on,
        special_month.is_apart,
        case when move.person_key is null then special_month.apart_since end as apart_since,
        true as is_resident,
        case when move.person_key is null then special_month.delivery_id else move.delivery_id end as delivery_id,
        case when move.person_key is null then special_month.row_number else move.row_number end as row_number
    from special_month
    left join move
        on
            special_month.month = move.month
            and special_month.person_key = move.person_key
    where special_month.is_resident
),

-- The dead and those who moved away stay known with those whom they left.
left_behind as {{ step() }} (
    select distinct
        month,
        hukou_key
    from special_month
    where not is_resident
),

part_size as {{ step() }} (
    select
        left_behind.month,
        left_behind.hukou_key,
        coalesce(move.part_key, part.part_key) as part_key,
        count(*) as resident_count,
        sum(case when part.relation_to_head = '02' then 1 else 0 end) as head_count
    from left_behind
    inner join part
        on
            left_behind.hukou_key = part.hukou_key
            and {{ in_force('left_behind.month', 'part') }}
            and part.is_resident
    left join move
        on
            left_behind.month = move.month
            and part.person_key = move.person_key
    group by left_behind.month, left_behind.hukou_key, coalesce(move.part_key, part.part_key)
),

largest_part as {{ step() }} (
    select * from part_size
    qualify
        row_number() over (
            partition by month, hukou_key
            order by resident_count desc, head_count desc, part_key
        ) = 1
),

gone as {{ step() }} (
    select
        special_month.month,
        special_month.person_key,
        case
            when part_size.part_key is not null then special_month.part_key
            else coalesce(largest_part.part_key, special_month.part_key)
        end as part_key,
        'hukou' as basis,
        special_month.relation_to_head,
        special_month.hukou_type,
        special_month.registered_division,
        special_month.place_code,
        special_month.status,
        special_month.changed_on,
        false as is_apart,
        cast(null as date) as apart_since,
        false as is_resident,
        special_month.delivery_id,
        special_month.row_number
    from special_month
    left join part_size
        on
            special_month.month = part_size.month
            and special_month.hukou_key = part_size.hukou_key
            and special_month.part_key = part_size.part_key
    left join largest_part
        on
            special_month.month = largest_part.month
            and special_month.hukou_key = largest_part.hukou_key
    where not special_month.is_resident
),

-- Not, or not yet, in the population register. In this order: on an assistance certificate, with the applicant or by
-- the certificate alone; a child with the guardian of the child register; a newborn on a request for a means check.
named_by_other as {{ step() }} (
    select
        month.month,
        certificate.person_key,
        certificate.applicant_key as host_key,
        case when certificate.relation = '01' then '02' else certificate.relation end as relation_to_head,
        certificate.division_code as place_code,
        certificate.certificate_no,
        certificate.approved_on as changed_on,
        'register' as basis,
        1 as pass,
        certificate.delivery_id,
        certificate.row_number
    from certificate
    inner join month
        on {{ in_force('month.month', 'certificate') }}
    union all
    select
        month.month,
        guardian.person_key,
        guardian.guardian_key as host_key,
        case
            when guardian.guardian_relation in ('50', '51', '52') then '20'
            when guardian.guardian_relation = '60' then '40'
            else '80'
        end as relation_to_head,
        cast(null as string) as place_code,
        cast(null as string) as certificate_no,
        guardian.recognised_on as changed_on,
        case when guardian.guardian_relation in ('50', '51', '52') then 'parent' else 'guardian' end as basis,
        2 as pass,
        guardian.delivery_id,
        guardian.row_number
    from guardian
    inner join month
        on {{ in_force('month.month', 'guardian') }}
    union all
    select
        month.month,
        request.person_key,
        request.applicant_key as host_key,
        request.relation as relation_to_head,
        cast(null as string) as place_code,
        cast(null as string) as certificate_no,
        person.born_on as changed_on,
        'request' as basis,
        3 as pass,
        request.delivery_id,
        request.row_number
    from request
    inner join person
        on request.person_key = person.person_key
    inner join month
        on request.known_month <= month.month
    inner join late
        on
            month.month = late.month
            and {{ months_between('person.born_on', 'request.known_month') }} <= late.value
    where request.person_key <> request.applicant_key
),

unregistered as {{ step() }} (
    select
        named_by_other.*,
        host.part_key as host_part_key,
        host.registered_division as host_division,
        host.place_code as host_place_code
    from named_by_other
    left join part as own
        on
            named_by_other.person_key = own.person_key
            and {{ in_force('named_by_other.month', 'own') }}
    left join part as host
        on
            named_by_other.host_key = host.person_key
            and {{ in_force('named_by_other.month', 'host') }}
            and host.is_resident
    where
        own.person_key is null
        and (
            host.person_key is not null
            or named_by_other.certificate_no is not null
        )
    qualify
        row_number() over (
            partition by named_by_other.month, named_by_other.person_key
            order by
                named_by_other.pass,
                named_by_other.changed_on desc,
                named_by_other.certificate_no,
                named_by_other.delivery_id,
                named_by_other.row_number
        ) = 1
),

named as {{ step() }} (
    select
        unregistered.month,
        unregistered.person_key,
        coalesce(
            move.part_key,
            unregistered.host_part_key,
            {{ letters_key(["'certificate'", 'unregistered.certificate_no']) }}
        ) as part_key,
        unregistered.basis,
        unregistered.relation_to_head,
        cast(null as string) as hukou_type,
        coalesce(unregistered.place_code, unregistered.host_division) as registered_division,
        coalesce(unregistered.place_code, unregistered.host_place_code) as place_code,
        '1' as status,
        unregistered.changed_on,
        false as is_apart,
        cast(null as date) as apart_since,
        person.died_on is null
        or {{ effective_month('person.death_known_month', 'person.died_on') }} > unregistered.month as is_resident,
        unregistered.delivery_id,
        unregistered.row_number
    from unregistered
    inner join person
        on unregistered.person_key = person.person_key
    left join move
        on
            unregistered.month = move.month
            and unregistered.host_key = move.person_key
),

monthly as {{ step() }} (
    select * from moved
    union all
    select * from gone
    union all
    select * from named
),

-- Months in a row that say the same are one spell; what holds in the last month of the run holds on.
last_run as (
    select max(month) as month from month
),

dated as {{ step() }} (
    select
        monthly.*,
        monthly.month as valid_from,
        case
            when monthly.month = last_run.month then date '9999-12-31'
            else {{ add_months('monthly.month', 1) }}
        end as valid_to
    from monthly
    cross join last_run
),

special_spell as {{ step() }} (
    {{ merged_spells('dated', ['person_key'], [
        'part_key', 'basis', 'relation_to_head', 'hukou_type', 'registered_division', 'place_code', 'status',
        'changed_on', 'is_apart', 'is_resident'
    ]) }}
),

final as (
    select
        part.person_key,
        part.part_key,
        'hukou' as basis,
        part.relation_to_head,
        part.hukou_type,
        part.registered_division,
        part.place_code,
        part.status,
        part.changed_on,
        part.is_apart,
        part.apart_since,
        part.is_resident,
        part.valid_from,
        part.valid_to,
        part.delivery_id,
        part.row_number
    from part
    cross join last_run
    left join special
        on part.person_key = special.person_key
    where
        special.person_key is null
        and part.valid_from <= last_run.month
    union all
    select
        person_key,
        part_key,
        basis,
        relation_to_head,
        hukou_type,
        registered_division,
        place_code,
        status,
        changed_on,
        is_apart,
        apart_since,
        is_resident,
        valid_from,
        valid_to,
        delivery_id,
        row_number
    from special_spell
)

select * from final
