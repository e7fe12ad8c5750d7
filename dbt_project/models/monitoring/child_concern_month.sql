with
minor as (
    select * from {{ ref('child_minor_month') }}
),

parent_care as (
    select * from {{ ref('child_parent_care') }}
),

care as (
    select
        month,
        child_key as person_key,
        count(*) as stated_count,
        sum(case when care = 'gone' then 1 else 0 end) as gone_count,
        sum(case when care = 'unable' then 1 else 0 end) as unable_count,
        sum(case when care = 'to_verify' then 1 else 0 end) as to_verify_count,
        max(case when parent_sex = '1' then state end) as father_state,
        max(case when parent_sex = '1' then state_since end) as father_since,
        max(case when parent_sex = '2' then state end) as mother_state,
        max(case when parent_sex = '2' then state_since end) as mother_since,
        max(case when care in ('gone', 'unable', 'to_verify') then state_since end) as since,
        {{ evidence_list() }} as evidence
    from parent_care
    group by month, child_key
),

relation as (
    select * from {{ ref('child_parent') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

-- Whose term is over is at home again, whatever the register of custody still says.
parent as (
    select
        minor.month,
        minor.person_key,
        count(*) as known_parent_count,
        sum(
            case
                when member.is_counted then 1
                when member.not_counted_reason = 'custody' and parent_care.care = 'able' then 1
                else 0
            end
        ) as parent_at_home_count
    from minor
    inner join relation on minor.person_key = relation.child_key and minor.month >= relation.known_month
    left join member
        on
            minor.month = member.month
            and minor.household_id = member.household_id
            and relation.parent_key = member.person_key
    left join parent_care
        on
            minor.month = parent_care.month
            and minor.person_key = parent_care.child_key
            and relation.parent_key = parent_care.parent_key
    group by minor.month, minor.person_key
),

hardship as (
    select
        month,
        person_key,
        {{ text_list('hardship') }} as hardships,
        {{ evidence_union('evidence') }} as evidence
    from {{ ref('child_hardship') }}
    group by month, person_key
),

left_behind_age as (
    {{ policy_parameter('left_behind_child_age') }}
),

register_row as (
    select
        minor.month,
        register.*,
        -- The guardian told for the gravest category; a row without a guardian says nothing about one.
        case when register.guardian_key is null then 0 else 10 - cast(register.child_category as integer) end
            as guardian_order
    from minor
    inner join {{ ref('person_child_register') }} as register
        on minor.person_key = register.person_key and {{ in_force('minor.month', 'register') }}
),

registered as (
    select
        month,
        person_key,
        {{ text_list('child_category') }} as register_categories,
        min(child_category) as register_category,
        {{ value_at_max('guardian_key', 'guardian_order') }} as guardian_key,
        {{ value_at_max('guardian_relation', 'guardian_order') }} as guardian_relation,
        min(recognised_on) as recognised_on,
        max(visited_on) as visited_on,
        {{ evidence_list() }} as evidence
    from register_row
    group by month, person_key
),

register_source as (
    select
        month,
        county_code,
        is_covered
    from {{ ref('source_month') }}
    where feed = 'child_register'
),

-- What the data say, the gravest first. One parent known alone proves nothing about the other.
seen as (
    select
        minor.month,
        minor.person_key,
        case
            when care.stated_count >= 2 and care.gone_count = care.stated_count then 'orphan'
            when care.stated_count >= 2 and care.gone_count + care.unable_count = care.stated_count then 'unattended'
            when care.gone_count + care.unable_count + care.to_verify_count = care.stated_count
                then 'unattended_unverified'
            when
                minor.age_years < left_behind_age.value
                and minor.grown_up_count > 0
                and coalesce(parent.parent_at_home_count, 0) = 0
                -- Parents known to live elsewhere, or a grandchild with nobody of the generation between.
                and (parent.known_parent_count > 0 or (minor.role = 'grandchild' and minor.middle_count = 0))
                then 'left_behind'
            when hardship.person_key is not null then 'other_difficulty'
        end as data_state
    from minor
    inner join left_behind_age
        on minor.month = left_behind_age.month and minor.county_code = left_behind_age.county_code
    left join care on minor.month = care.month and minor.person_key = care.person_key
    left join parent on minor.month = parent.month and minor.person_key = parent.person_key
    left join hardship on minor.month = hardship.month and minor.person_key = hardship.person_key
),

mapped as (
    select
        seen.month,
        seen.person_key,
        seen.data_state,
        case seen.data_state
            when 'orphan' then 1
            when 'unattended' then 2
            when 'unattended_unverified' then 3
            when 'left_behind' then 4
            when 'other_difficulty' then 5
        end as data_rank,
        case registered.register_category
            when '1' then 'orphan'
            when '2' then 'unattended'
            when '3' then 'left_behind'
            when '4' then 'migrant'
            when '5' then 'other_difficulty'
        end as register_state,
        case registered.register_category
            when '1' then 1
            when '2' then 2
            when '3' then 4
            when '4' then 6
            when '5' then 5
        end as register_rank
    from seen
    left join registered on seen.month = registered.month and seen.person_key = registered.person_key
    where seen.data_state is not null or registered.person_key is not null
),

compared as (
    select
        mapped.*,
        case when coalesce(data_rank, 9) <= coalesce(register_rank, 9) then data_state else register_state end as state,
        case when coalesce(data_rank, 9) <= coalesce(register_rank, 9) then 'data' else 'register' end as state_basis,
        coalesce(register_rank <= 2, false) as is_registered_grave
    from mapped
),

final as (
    select
        compared.month,
        compared.person_key,
        minor.household_id,
        minor.village_code,
        minor.township_code,
        minor.county_code,
        minor.area_type,
        minor.sex,
        minor.age_years,
        compared.state,
        compared.state_basis,
        compared.data_state,
        case when compared.state in ('orphan', 'unattended', 'unattended_unverified') then care.since end
            as state_since,
        cast(coalesce(parent.known_parent_count, 0) as integer) as known_parent_count,
        care.father_state,
        care.father_since,
        care.mother_state,
        care.mother_since,
        registered.register_categories,
        registered.register_category,
        registered.guardian_key,
        registered.guardian_relation,
        registered.recognised_on,
        case
            when registered.person_key is null and coalesce(register_source.is_covered, false) then 'not_registered'
            when registered.person_key is null then 'register_not_told'
            when compared.data_state = compared.register_state then 'agrees'
            -- A register has a right to say more than data can show; only what contradicts it is a difference.
            when compared.is_registered_grave and coalesce(parent.known_parent_count, 0) < 2
                then 'cannot_be_checked'
            when compared.is_registered_grave and compared.data_state in ('orphan', 'unattended')
                then 'wrong_category'
            when compared.is_registered_grave then 'not_confirmed'
            when compared.data_state in ('orphan', 'unattended') then 'wrong_category'
            when compared.data_state in ('unattended_unverified', 'left_behind') then 'to_verify'
            when compared.register_state = 'left_behind' and minor.age_years >= left_behind_age.value then 'too_old'
            when compared.data_state is null then 'not_seen'
            else 'agrees'
        end as difference,
        hardship.hardships,
        minor.grown_up_count > 0 as has_grown_up_at_home,
        {{ evidence_concat(
            "coalesce(care.evidence, " ~ no_evidence() ~ ")",
            evidence_concat(
                "coalesce(registered.evidence, " ~ no_evidence() ~ ")", "coalesce(hardship.evidence, " ~ no_evidence() ~ ")"
            )
        ) }} as evidence,
        registered.visited_on as register_visited_on
    from compared
    inner join minor on compared.month = minor.month and compared.person_key = minor.person_key
    inner join left_behind_age
        on minor.month = left_behind_age.month and minor.county_code = left_behind_age.county_code
    left join care on compared.month = care.month and compared.person_key = care.person_key
    left join parent on compared.month = parent.month and compared.person_key = parent.person_key
    left join hardship on compared.month = hardship.month and compared.person_key = hardship.person_key
    left join registered on compared.month = registered.month and compared.person_key = registered.person_key
    left join register_source
        on minor.month = register_source.month and minor.county_code = register_source.county_code
)

select * from final
