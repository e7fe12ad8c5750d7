with
known as (
    select * from {{ ref('household_group') }}
),

identity as (
    select * from {{ ref('household_identity') }}
),

month as (
    select * from {{ ref('run_month') }}
),

person as (
    select * from {{ ref('person') }}
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

epoch as (
    select distinct
        epoch_from,
        epoch_to
    from known
),

epoch_month as (
    select
        epoch.epoch_from,
        month.month,
        month.month_end
    from epoch
    inner join month
        on
            epoch.epoch_from <= month.month
            and epoch.epoch_to > month.month
),

detained as (
    select
        month.month,
        custody.person_key,
        min(custody.from_date) as from_date
    from custody
    inner join month
        on
            {{ in_force('month.month', 'custody') }}
            and custody.from_date <= month.month_end
    group by month.month, custody.person_key
),

placed as (
    select
        known.epoch_from,
        known.person_key,
        identity.household_id,
        known.basis,
        known.status,
        known.changed_on,
        case
            when known.relation_to_head = '02' then 'head'
            when known.relation_to_head = '10' then 'spouse'
            when known.relation_to_head in ('20', '30') then 'child'
            when known.relation_to_head = '40' then 'grandchild'
            when known.relation_to_head in ('50', '51', '52') then 'parent'
            when known.relation_to_head = '60' then 'grandparent'
            when known.relation_to_head = '70' then 'sibling'
            else 'other'
        end as role,
        person.sex,
        person.born_on,
        person.died_on,
        person.death_known_month
    from known
    inner join identity
        on
            known.epoch_from = identity.epoch_from
            and known.part_key = identity.part_key
    inner join person
        on known.person_key = person.person_key
),

monthly as (
    select
        epoch_month.month,
        epoch_month.month_end,
        placed.*,
        detained.from_date as detained_since,
        placed.died_on is not null
        and placed.died_on <= epoch_month.month_end
        and placed.death_known_month <= epoch_month.month as is_dead
    from placed
    inner join epoch_month
        on placed.epoch_from = epoch_month.epoch_from
    left join detained
        on
            epoch_month.month = detained.month
            and placed.person_key = detained.person_key
),

stated as (
    select
        *,
        case
            when is_dead then 'dead'
            when status = '2' then 'moved_out'
            when status = '3' then 'dead'
            when status = '4' then 'cancelled'
            when detained_since is not null then 'custody'
        end as not_counted_reason
    from monthly
),

final as (
    select
        month,
        household_id,
        person_key,
        role,
        basis,
        not_counted_reason is null as is_counted,
        not_counted_reason,
        case not_counted_reason
            when 'dead' then died_on
            when 'moved_out' then changed_on
            when 'cancelled' then changed_on
            when 'custody' then detained_since
        end as not_counted_since,
        sex,
        {{ age_years('born_on', 'case when is_dead then died_on else month_end end') }} as age_years,
        not is_dead as is_alive
    from stated
)

select * from final
