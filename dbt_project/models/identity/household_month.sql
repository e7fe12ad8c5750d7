with
member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

place as (
    select * from {{ ref('household_place') }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
),

certificate as (
    select * from {{ ref('benefit_member_month') }}
    where {{ since_rebuild('month') }}
),

monitored as (
    select * from {{ ref('person_rural_monitoring') }}
),

household as (
    select
        month,
        household_id,
        cast(count(*) as integer) as member_count,
        cast(count(*) filter (where is_counted) as integer) as counted_member_count,
        {{ value_at_max(
            'person_key',
            "concat(case when is_counted then '1' else '0' end, case when role = 'head' then '1' else '0' end, "
            ~ "lpad(cast(coalesce(age_years, 0) as string), 3, '0'), person_key)"
        ) }} as reference_person_key
    from member
    group by month, household_id
),

assisted as (
    select
        month,
        household_id,
        programme,
        layer,
        certificate_no
    from certificate
    where household_id is not null
    qualify
        row_number() over (
            partition by month, household_id
            order by
                case layer
                    when 'destitute' then 1
                    when 'dibao' then 2
                    when 'marginal' then 3
                    else 4
                end,
                certificate_no
        ) = 1
),

relapse_risk as (
    select distinct
        member.month,
        member.household_id
    from monitored
    inner join month
        on
            {{ in_force('month.month', 'monitored') }}
            and (monitored.cleared_on is null or monitored.cleared_on > month.month_end)
    inner join member
        on
            month.month = member.month
            and monitored.person_key = member.person_key
            and member.is_counted
),

final as (
    select
        household.month,
        household.household_id,
        place.village_code,
        substr(place.village_code, 1, 9) as township_code,
        substr(place.village_code, 1, 6) as county_code,
        place.area_type,
        case
            when assisted.layer is not null then assisted.layer
            when relapse_risk.household_id is not null then 'relapse_risk'
            else 'none'
        end as register_layer,
        coalesce(assisted.layer, 'none') as assistance_layer,
        assisted.programme,
        assisted.certificate_no,
        relapse_risk.household_id is not null as is_relapse_risk,
        household.member_count,
        household.counted_member_count,
        household.reference_person_key
    from household
    inner join place
        on
            household.household_id = place.household_id
            and {{ in_force('household.month', 'place') }}
    left join assisted
        on
            household.month = assisted.month
            and household.household_id = assisted.household_id
    left join relapse_risk
        on
            household.month = relapse_risk.month
            and household.household_id = relapse_risk.household_id
)

select * from final
