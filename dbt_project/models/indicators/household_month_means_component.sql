with
household as (
    select * from {{ ref('household_month') }}
    -- Only where something was declared there are two sides to compare.
    where certificate_no is not null
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

certificate as (
    select * from {{ ref('benefit_household_month') }}
),

found as (
    select * from {{ ref('person_month_means') }}
),

declared as (
    select
        household.month,
        household.household_id,
        certificate.applicant_key as person_key,
        'declared' as side,
        'income' as kind,
        'declared_income_pc' as item,
        'assistance_register' as feed,
        household.month as found_month,
        {{ month_of('coalesce(certificate.reviewed_on, certificate.approved_on)') }} as data_month,
        certificate.declared_income_pc_yuan as gross_yuan,
        certificate.declared_income_pc_yuan as counted_yuan,
        cast(null as string) as reason,
        certificate.delivery_id,
        certificate.row_number
    from household
    inner join certificate
        on
            household.month = certificate.month
            and household.certificate_no = certificate.certificate_no
    where certificate.declared_income_pc_yuan is not null
),

-- What the figures of the household's means rest on: the months of their windows, as known by then.
shown as (
    select
        household.month,
        household.household_id,
        found.person_key,
        'found' as side,
        found.kind,
        found.item,
        found.feed,
        found.month as found_month,
        found.data_month,
        found.gross_yuan,
        found.counted_yuan,
        found.reason,
        found.delivery_id,
        found.row_number
    from household
    inner join member
        on
            household.month = member.month
            and household.household_id = member.household_id
    inner join found
        on
            member.person_key = found.person_key
            and household.month >= found.month
            and household.month >= found.known_month
            and {{ is_in_means_window('found', 'household.month') }}
),

final as (
    select * from declared
    union all
    select * from shown
)

select * from final
