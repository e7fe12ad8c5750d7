with
household as (
    select * from {{ ref('household_month') }}
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
    where is_counted
),

settlement as (
    select * from {{ ref('person_medical_settlement') }}
    where care_type = '3'
),

-- A stay that was taken back or corrected downwards in the same month costs what is left of it.
stay as (
    select
        settled_month as month,
        person_key,
        least(max(out_of_pocket_yuan), sum(out_of_pocket_yuan)) as value,
        {{ evidence_list() }} as evidence
    from settlement
    group by settled_month, person_key
),

line as (
    {{ policy_parameter('n02_hospital_stay_line') }}
),

final as (
    select
        household.month,
        'N02' as indicator,
        household.household_id,
        member.person_key,
        cast(null as string) as level,
        stay.value,
        line.value as threshold,
        stay.evidence
    from stay
    inner join member on stay.month = member.month and stay.person_key = member.person_key
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join line
        on
            household.month = line.month
            and household.county_code = line.county_code
            and household.register_layer = line.dimension_key
    where stay.value > line.value
)

select * from final
