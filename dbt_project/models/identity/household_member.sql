with
state as (
    select * from {{ ref('household_state') }}
),

month as (
    select * from {{ ref('run_month') }}
),

person as (
    select * from {{ ref('person') }}
),

delivery as (
    select
        delivery_id,
        cast(received_at as date) as received_on
    from {{ source('reference', 'delivery') }}
),

divorce as (
    select * from {{ ref('couple') }}
    where not is_married
),

late as (
    {{ city_policy('late_news_months') }}
),

first_run as (
    select min(month) as month from month
),

compared as {{ step() }} (
    select
        *,
        lag(person_key) over person_spells as previous_person_key,
        lag(household_id) over person_spells as previous_household_id,
        lag(part_key) over person_spells as previous_part_key,
        lag(basis) over person_spells as previous_basis,
        lag(is_apart) over person_spells as was_apart,
        lag(not_counted_reason) over person_spells as previous_reason,
        lag(detained_until) over person_spells as previous_detained_until
    from state
    window person_spells as (partition by person_key order by valid_from)
),

-- Why a row begins, and the day on which that happened, where a feed tells it.
explained as {{ step() }} (
    select
        compared.*,
        case
            when
                compared.previous_person_key is null
                and {{ months_between('person.born_on', 'compared.valid_from') }} <= late.value
                and (compared.valid_from > first_run.month or person.born_on >= first_run.month)
                then 'born'
            when compared.previous_person_key is null then 'first_known'
            when
                compared.not_counted_reason is not null
                and compared.not_counted_reason <> coalesce(compared.previous_reason, '')
                then compared.not_counted_reason
            when compared.household_id = compared.previous_household_id and compared.previous_reason = 'custody'
                then 'released'
            when compared.basis = 'hukou' and compared.is_apart and not compared.was_apart then 'divorced'
            when compared.basis = 'hukou' and compared.previous_basis = 'spouse' and divorce.person_key is not null
                then 'divorced'
            when compared.basis = 'spouse' and compared.previous_basis <> 'spouse' then 'married'
            when compared.previous_basis = 'student' and compared.basis = 'hukou' then 'studies_ended'
            when compared.basis <> compared.previous_basis and compared.basis <> 'hukou' then compared.basis
            when compared.part_key <> compared.previous_part_key then 'moved'
            when compared.household_id <> compared.previous_household_id then 'regrouped'
            else 'restated'
        end as reason_joined,
        person.born_on,
        divorce.registered_on as divorced_on
    from compared
    inner join person
        on compared.person_key = person.person_key
    cross join first_run
    left join late
        on compared.valid_from = late.month
    left join divorce
        on
            compared.person_key = divorce.person_key
            and compared.valid_from = divorce.valid_from
    qualify
        row_number() over (
            partition by compared.person_key, compared.valid_from
            order by divorce.registered_on desc nulls last, divorce.certificate_no
        ) = 1
),

told as {{ step() }} (
    select
        *,
        case reason_joined
            when 'born' then born_on
            when 'dead' then died_on
            when 'custody' then detained_on
            when 'released' then previous_detained_until
            when 'divorced' then coalesce(apart_since, divorced_on)
            when 'restated' then null
            when 'regrouped' then null
            when 'first_known' then null
            else changed_on
        end as told_on
    from explained
),

-- A day after the month in which it is told is a plan; one before the day of the row before it came too late.
dated as {{ step() }} (
    select
        *,
        max(
            case
                when told_on < {{ add_months('valid_from', 1) }} then told_on
                else valid_from
            end
        ) over (
            partition by person_key
            order by valid_from
            rows between unbounded preceding and current row
        ) as began_on
    from told
),

final as (
    select
        dated.household_id,
        dated.person_key,
        case
            when dated.relation_to_head = '02' then 'head'
            when dated.relation_to_head = '10' then 'spouse'
            when dated.relation_to_head in ('20', '30') then 'child'
            when dated.relation_to_head = '40' then 'grandchild'
            when dated.relation_to_head in ('50', '51', '52') then 'parent'
            when dated.relation_to_head = '60' then 'grandparent'
            when dated.relation_to_head = '70' then 'sibling'
            else 'other'
        end as role,
        dated.basis,
        dated.not_counted_reason is null as is_counted,
        dated.not_counted_reason,
        case dated.not_counted_reason
            when 'dead' then dated.died_on
            when 'moved_out' then dated.changed_on
            when 'cancelled' then dated.changed_on
            when 'custody' then dated.detained_on
        end as not_counted_since,
        dated.reason_joined,
        case
            when dated.valid_to = date '9999-12-31' then null
            else coalesce(lead(dated.reason_joined) over person_rows, 'no_longer_told')
        end as reason_left,
        dated.began_on as valid_from,
        case
            when dated.valid_to = date '9999-12-31' then dated.valid_to
            else greatest(
                dated.began_on,
                case
                    when lead(dated.valid_from) over person_rows = dated.valid_to
                        then lead(dated.began_on) over person_rows
                    else dated.valid_to
                end
            )
        end as valid_to,
        dated.valid_from as known_from,
        dated.valid_to as known_to,
        delivery.received_on as known_on,
        dated.delivery_id,
        dated.row_number
    from dated
    left join delivery
        on dated.delivery_id = delivery.delivery_id
    window person_rows as (partition by dated.person_key order by dated.valid_from)
)

select * from final
