with
part as (
    select * from {{ ref('household_part') }}
    where is_resident
),

parent as (
    select * from {{ ref('child_parent') }}
),

guardian as (
    select * from {{ ref('person_child_register') }}
    where guardian_key is not null
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

school as (
    select * from {{ ref('person_school') }}
    where status = '1'
),

member_stage as (
    {{ city_policy('student_member_stage') }}
),

marriage as (
    select * from {{ ref('person_marriage_event') }}
),

certificate as (
    select * from {{ ref('benefit_household_member') }}
),

person as (
    select * from {{ ref('person') }}
),

adult_part as (
    select distinct
        epoch_from,
        part_key
    from part
    where not is_minor
),

lone_minor as (
    select part.*
    from part
    left join adult_part
        on
            part.epoch_from = adult_part.epoch_from
            and part.part_key = adult_part.part_key
    where
        part.is_minor
        and adult_part.part_key is null
),

-- Pass 1: a minor without a grown-up belongs to a parent who is there, before all to one in the same village.
minor_to_parent as (
    select
        lone_minor.epoch_from,
        lone_minor.person_key,
        target.part_key,
        case when lone_minor.place_code = target.place_code then 1 else 2 end as pass,
        'parent' as basis
    from lone_minor
    inner join parent
        on
            lone_minor.person_key = parent.child_key
            and lone_minor.epoch_from >= parent.known_month
    inner join part as target
        on
            lone_minor.epoch_from = target.epoch_from
            and parent.parent_key = target.person_key
            and not target.is_minor
    left join custody
        on
            target.person_key = custody.person_key
            and {{ in_force('target.epoch_from', 'custody') }}
    where custody.person_key is null
),

-- Pass 2: else to the guardian that the child register names.
minor_to_guardian as (
    select
        lone_minor.epoch_from,
        lone_minor.person_key,
        target.part_key,
        3 as pass,
        'guardian' as basis
    from lone_minor
    inner join guardian
        on
            lone_minor.person_key = guardian.person_key
            and {{ in_force('lone_minor.epoch_from', 'guardian') }}
    inner join part as target
        on
            lone_minor.epoch_from = target.epoch_from
            and guardian.guardian_key = target.person_key
),

-- Pass 3: grown-up children in full-time education who live elsewhere belong to the parents.
student as (
    select
        part.epoch_from,
        part.person_key,
        target.part_key,
        4 as pass,
        'student' as basis
    from part
    inner join school
        on
            part.person_key = school.person_key
            and {{ in_force('part.epoch_from', 'school') }}
    inner join member_stage
        on
            school.stage = member_stage.dimension_key
            and part.epoch_from = member_stage.month
            and member_stage.value = 1
    inner join parent
        on
            part.person_key = parent.child_key
            and part.epoch_from >= parent.known_month
    inner join part as target
        on
            part.epoch_from = target.epoch_from
            and parent.parent_key = target.person_key
    where
        not part.is_minor
        and coalesce(part.marital_status, '10') = '10'
        and part.part_key <> target.part_key
),

-- Pass 4: married, each with an own hukou number, in the same village. The one moves who came there, else the one who
-- is not at the head of a household, else the wife.
epoch as (
    select distinct epoch_from from part
),

married as (
    select
        epoch.epoch_from,
        marriage.person_key,
        marriage.spouse_key
    from epoch
    inner join marriage
        on epoch.epoch_from >= marriage.known_month
    group by epoch.epoch_from, marriage.person_key, marriage.spouse_key
    having {{ value_at_max('marriage.event', 'marriage.registered_on') }} = '1'
),

couple as (
    select
        part.epoch_from,
        part.person_key,
        part.part_key as own_part_key,
        spouse.part_key,
        row_number() over (
            partition by
                part.epoch_from,
                least(part.person_key, spouse.person_key),
                greatest(part.person_key, spouse.person_key)
            order by
                (part.place_code <> part.registered_division) desc,
                (part.relation_to_head in ('02', '10')),
                person.sex desc,
                part.person_key
        ) as turn
    from part
    inner join married
        on
            part.epoch_from = married.epoch_from
            and part.person_key = married.person_key
    inner join part as spouse
        on
            part.epoch_from = spouse.epoch_from
            and married.spouse_key = spouse.person_key
            and part.place_code = spouse.place_code
    inner join person
        on part.person_key = person.person_key
    where part.part_key <> spouse.part_key
),

spouse_move as (
    select
        epoch_from,
        person_key,
        own_part_key,
        part_key,
        5 as pass,
        'spouse' as basis
    from couple
    where turn = 1
),

-- Own minor children go along.
child_of_spouse as (
    select
        spouse_move.epoch_from,
        child.person_key,
        spouse_move.part_key,
        6 as pass,
        'spouse' as basis
    from spouse_move
    inner join parent
        on spouse_move.person_key = parent.parent_key
    inner join part as child
        on
            spouse_move.epoch_from = child.epoch_from
            and spouse_move.own_part_key = child.part_key
            and parent.child_key = child.person_key
    where child.is_minor
),

-- Pass 5: on one assistance certificate, in the same village, under different hukou numbers.
only_certificate as (
    select
        part.epoch_from,
        part.person_key,
        min(certificate.applicant_key) as applicant_key
    from part
    inner join certificate
        on
            part.person_key = certificate.person_key
            and {{ in_force('part.epoch_from', 'certificate') }}
    group by part.epoch_from, part.person_key
    having count(distinct certificate.certificate_no) = 1
),

certificate_move as (
    select
        part.epoch_from,
        part.person_key,
        applicant.part_key,
        7 as pass,
        'register' as basis
    from only_certificate
    inner join part
        on
            only_certificate.epoch_from = part.epoch_from
            and only_certificate.person_key = part.person_key
    inner join part as applicant
        on
            only_certificate.epoch_from = applicant.epoch_from
            and only_certificate.applicant_key = applicant.person_key
            and part.place_code = applicant.place_code
    where
        part.part_key <> applicant.part_key
        and part.hukou_no <> applicant.hukou_no
),

move as (
    select * from minor_to_parent
    union all
    select * from minor_to_guardian
    union all
    select * from student
    union all
    select
        epoch_from,
        person_key,
        part_key,
        pass,
        basis
    from spouse_move
    union all
    select * from child_of_spouse
    union all
    select * from certificate_move
),

final as (
    select
        epoch_from,
        person_key,
        part_key,
        pass,
        basis
    from move
    qualify row_number() over (partition by epoch_from, person_key order by pass, part_key) = 1
)

select * from final
