with
-- The family that the certificate names, those who do not count left out.
family as (
    select
        *,
        certificate_no as family_id
    from {{ ref('register_entry') }}
    where is_counted
),

breach as (
    {{ property_breach('family') }}
),

place as (
    select
        month,
        family_id,
        coalesce(max(case when is_applicant then household_id end), max(household_id)) as household_id
    from family
    group by month, family_id
),

-- One row per household, with the figures of the breach that is easiest to prove.
final as (
    select
        breach.month,
        'X04' as indicator,
        place.household_id,
        {{ value_at_max('breach.person_key', '-breach.rank') }} as person_key,
        cast(null as string) as level,
        {{ value_at_max('breach.value', '-breach.rank') }} as value,
        {{ value_at_max('breach.limit_value', '-breach.rank') }} as threshold,
        {{ evidence_union('breach.evidence') }} as evidence
    from breach
    inner join place
        on
            breach.month = place.month
            and breach.family_id = place.family_id
    group by breach.month, place.household_id
)

select * from final
