with
part as (
    select * from {{ ref('household_part') }}
    where is_resident
),

month as (
    select * from {{ ref('run_month') }}
),

parent as (
    select * from {{ ref('child_parent') }}
),

guardian as (
    select * from {{ ref('person_child_register') }}
    where guardian_key is not null
),

-- Told for a month, begun by its end.
custody as (
    select
        person_key,
        {{ effective_month('valid_from', 'from_date') }} as valid_from,
        valid_to
    from {{ ref('person_custody') }}
    where is_detained
),

school as (
    select * from {{ ref('person_school') }}
    where status = '1'
),

member_stage as (
    {{ city_policy('student_member_stage') }}
),

couple as (
    select * from {{ ref('couple') }}
    where is_married
),

certificate as (
    select * from {{ ref('benefit_household_member') }}
),

minor as {{ step() }} (
    select * from part
    where is_minor
),

detainee as (
    select distinct person_key from custody
),

-- Most children live with somebody grown up all the time; only of the others are the months looked at.
cared_for as {{ step() }} (
    select distinct
        minor.person_key,
        minor.valid_from
    from minor
    inner join part as adult
        on
            minor.part_key = adult.part_key
            and minor.valid_from >= adult.valid_from
            and minor.valid_to <= adult.valid_to
    left join detainee
        on adult.person_key = detainee.person_key
    where
        not adult.is_minor
        and detainee.person_key is null
),

watched as {{ step() }} (
    select
        month.month,
        minor.person_key,
        minor.part_key,
        minor.place_code
    from minor
    left join cared_for
        on
            minor.person_key = cared_for.person_key
            and minor.valid_from = cared_for.valid_from
    inner join month
        on {{ in_force('month.month', 'minor') }}
    where cared_for.person_key is null
),

-- Somebody grown up is there and not detained.
watched_part as {{ step() }} (
    select distinct
        month,
        part_key
    from watched
),

adult_part as {{ step() }} (
    select distinct
        watched_part.month,
        watched_part.part_key
    from watched_part
    inner join part as adult
        on
            watched_part.part_key = adult.part_key
            and {{ in_force('watched_part.month', 'adult') }}
    left join custody
        on
            adult.person_key = custody.person_key
            and {{ in_force('watched_part.month', 'custody') }}
    where
        not adult.is_minor
        and custody.person_key is null
),

lone_minor as {{ step() }} (
    select watched.*
    from watched
    left join adult_part
        on
            watched.month = adult_part.month
            and watched.part_key = adult_part.part_key
    where adult_part.part_key is null
),

-- Pass 1: a minor without a grown-up belongs to a parent who is there, before all to one in the same village; pass 2:
-- else to the guardian that the child register names. Distinct, so that the few children meet their own grown-ups
-- before those are looked up by month: joined all at once, everybody meets everybody of the month.
grown_up as (
    select distinct
        lone_minor.month,
        lone_minor.person_key,
        lone_minor.part_key,
        lone_minor.place_code,
        parent.parent_key as target_key,
        'parent' as basis,
        cast(null as date) as since_day,
        parent.delivery_id,
        parent.row_number
    from lone_minor
    inner join parent
        on
            lone_minor.person_key = parent.child_key
            and lone_minor.month >= parent.known_month
    union distinct
    select
        lone_minor.month,
        lone_minor.person_key,
        lone_minor.part_key,
        lone_minor.place_code,
        guardian.guardian_key as target_key,
        'guardian' as basis,
        guardian.recognised_on as since_day,
        guardian.delivery_id,
        guardian.row_number
    from lone_minor
    inner join guardian
        on
            lone_minor.person_key = guardian.person_key
            and {{ in_force('lone_minor.month', 'guardian') }}
),

minor_to_grown_up as (
    select
        grown_up.month,
        grown_up.person_key,
        grown_up.part_key as own_part_key,
        target.person_key as target_key,
        target.part_key,
        case
            when grown_up.basis = 'guardian' then 3
            when grown_up.place_code = target.place_code then 1
            else 2
        end as pass,
        grown_up.basis,
        grown_up.since_day,
        grown_up.delivery_id,
        grown_up.row_number
    from grown_up
    inner join part as target
        on
            grown_up.target_key = target.person_key
            and {{ in_force('grown_up.month', 'target') }}
            and not target.is_minor
    left join custody
        on
            target.person_key = custody.person_key
            and {{ in_force('grown_up.month', 'custody') }}
    where
        custody.person_key is null
        and grown_up.part_key <> target.part_key
),

-- Pass 3: grown-up children in full-time education who live elsewhere belong to the parents.
student_of_parent as {{ step() }} (
    select
        month.month,
        part.person_key,
        part.part_key as own_part_key,
        target.person_key as target_key,
        target.part_key,
        4 as pass,
        'student' as basis,
        cast(null as date) as since_day,
        school.delivery_id,
        school.row_number
    from school
    inner join part
        on
            school.person_key = part.person_key
            and {{ overlap('school', 'part') }}
    inner join parent
        on part.person_key = parent.child_key
    inner join part as target
        on
            parent.parent_key = target.person_key
            and {{ overlap('target', 'part') }}
    inner join month
        on
            {{ in_force('month.month', 'school') }}
            and {{ in_force('month.month', 'part') }}
            and {{ in_force('month.month', 'target') }}
            and month.month >= parent.known_month
    inner join member_stage
        on
            school.stage = member_stage.dimension_key
            and month.month = member_stage.month
            and member_stage.value = 1
    where
        not part.is_minor
        and coalesce(part.marital_status, '10') = '10'
),

-- Whoever lives with one parent does not move to the other.
student as {{ step() }} (
    select * from student_of_parent
    qualify not bool_or(part_key = own_part_key) over (partition by month, person_key)
),

-- Pass 4: married, each with an own hukou number, in the same village. The one moves who came there, else the one who
-- is not at the head of a household, else the wife.
wed as {{ step() }} (
    select
        month.month,
        part.person_key,
        part.part_key as own_part_key,
        spouse.person_key as target_key,
        spouse.part_key,
        couple.registered_on as since_day,
        couple.delivery_id,
        couple.row_number,
        row_number() over (
            partition by
                month.month,
                least(part.person_key, spouse.person_key),
                greatest(part.person_key, spouse.person_key)
            order by
                (part.place_code <> part.registered_division) desc,
                (part.relation_to_head in ('02', '10')),
                part.sex desc,
                part.person_key
        ) as turn
    from couple
    inner join part
        on
            couple.person_key = part.person_key
            and {{ overlap('couple', 'part') }}
    inner join part as spouse
        on
            couple.spouse_key = spouse.person_key
            and {{ overlap('couple', 'spouse') }}
            and {{ overlap('part', 'spouse') }}
            and part.place_code = spouse.place_code
    inner join month
        on
            {{ in_force('month.month', 'couple') }}
            and {{ in_force('month.month', 'part') }}
            and {{ in_force('month.month', 'spouse') }}
    where part.part_key <> spouse.part_key
),

spouse_move as {{ step() }} (
    select
        month,
        person_key,
        own_part_key,
        target_key,
        part_key,
        5 as pass,
        'spouse' as basis,
        since_day,
        delivery_id,
        row_number
    from wed
    where turn = 1
),

-- Own minor children go along.
child_of_spouse as {{ step() }} (
    select
        spouse_move.month,
        child.person_key,
        spouse_move.own_part_key,
        spouse_move.target_key,
        spouse_move.part_key,
        6 as pass,
        'spouse' as basis,
        spouse_move.since_day,
        spouse_move.delivery_id,
        spouse_move.row_number
    from spouse_move
    inner join parent
        on
            spouse_move.person_key = parent.parent_key
            and spouse_move.month >= parent.known_month
    inner join part as child
        on
            parent.child_key = child.person_key
            and spouse_move.own_part_key = child.part_key
            and {{ in_force('spouse_move.month', 'child') }}
    where child.is_minor
),

-- Pass 5: on one assistance certificate, in the same village, under different hukou numbers.
only_certificate as {{ step() }} (
    select
        month.month,
        certificate.person_key,
        min(certificate.applicant_key) as applicant_key,
        min(certificate.approved_on) as since_day,
        min(certificate.delivery_id) as delivery_id,
        min(certificate.row_number) as row_number
    from certificate
    inner join month
        on {{ in_force('month.month', 'certificate') }}
    group by month.month, certificate.person_key
    having count(distinct certificate.certificate_no) = 1
),

certificate_move as {{ step() }} (
    select
        only_certificate.month,
        part.person_key,
        part.part_key as own_part_key,
        applicant.person_key as target_key,
        applicant.part_key,
        7 as pass,
        'register' as basis,
        only_certificate.since_day,
        only_certificate.delivery_id,
        only_certificate.row_number
    from only_certificate
    inner join part
        on
            only_certificate.person_key = part.person_key
            and {{ in_force('only_certificate.month', 'part') }}
    inner join part as applicant
        on
            only_certificate.applicant_key = applicant.person_key
            and {{ in_force('only_certificate.month', 'applicant') }}
            and part.place_code = applicant.place_code
    where
        part.part_key <> applicant.part_key
        and part.hukou_key <> applicant.hukou_key
),

move as {{ step() }} (
    select * from minor_to_grown_up
    union all
    select * from student
    union all
    select * from spouse_move
    union all
    select * from child_of_spouse
    union all
    select * from certificate_move
),

chosen as {{ step() }} (
    select * from move
    qualify
        row_number() over (
            partition by month, person_key
            order by pass, part_key, target_key, delivery_id, row_number
        ) = 1
),

-- Whoever is moved to someone who moves goes along; of two who would change places, one stays.
final as (
    select
        chosen.month,
        chosen.person_key,
        case
            when target.part_key is null or target.part_key = chosen.own_part_key then chosen.part_key
            else target.part_key
        end as part_key,
        chosen.pass,
        chosen.basis,
        chosen.since_day,
        chosen.delivery_id,
        chosen.row_number
    from chosen
    left join chosen as target
        on
            chosen.month = target.month
            and chosen.target_key = target.person_key
    where
        target.person_key is null
        or target.part_key <> chosen.own_part_key
        or target.pass > chosen.pass
        or (target.pass = chosen.pass and target.person_key > chosen.person_key)
)

select * from final
