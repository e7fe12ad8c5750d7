with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

household as (
    select
        month,
        household_id,
        county_code
    from {{ ref('household_month') }}
),

certificate as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

registration as (
    select * from {{ ref('hukou_household_member') }}
    where status <> '1'
),

-- Care: grades that the place pays for; grade 3 only where intellectual or mental.
care as (
    {{ policy_parameter('care_allowance') }}
),

-- Living: layers whose disabled members are entitled.
living as (
    {{ policy_parameter('living_allowance_layers') }}
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

beneficiary as (
    select
        month,
        person_key,
        layer,
        min(approved_on) as approved_on,
        {{ evidence_list() }} as evidence
    from {{ ref('register_entry') }}
    group by month, person_key, layer
),

destitute as (
    select distinct
        month,
        person_key
    from beneficiary
    where layer = 'destitute'
),

-- Children paid for as orphans or as de facto unattended have no living allowance beside it (the overlap matrix).
orphan as (
    select * from {{ ref('person_child_register') }}
    where child_category in ('1', '2')
),

-- One row per month, person and certificate whose months of grace are over: issued in March with a month of grace, it
-- is missed in April, where neither month was paid.
holder as (
    select
        member.month,
        member.household_id,
        member.person_key,
        household.county_code,
        certificate.disability_grade,
        certificate.is_severe,
        grace.value as grace_months,
        certificate.delivery_id,
        certificate.row_number
    from member
    inner join household on member.month = household.month and member.household_id = household.household_id
    inner join certificate
        on member.person_key = certificate.person_key and {{ in_force('member.month', 'certificate') }}
    inner join grace on household.month = grace.month and household.county_code = grace.county_code
    left join registration
        on member.person_key = registration.person_key and {{ in_force('member.month', 'registration') }}
    where
        (certificate.valid_until is null or certificate.valid_until >= member.month)
        and {{ months_between('certificate.issued_on', 'member.month') }} >= grace.value
        and {{ months_between('certificate.first_seen_month', 'member.month') }} >= grace.value
        and registration.person_key is null
),

due_care as (
    select
        holder.month,
        holder.household_id,
        holder.person_key,
        holder.county_code,
        holder.grace_months,
        'CH' as benefit,
        care.value as threshold,
        {{ evidence_list('holder.delivery_id', 'holder.row_number') }} as evidence
    from holder
    inner join care
        on
            holder.month = care.month
            and holder.county_code = care.county_code
            and holder.disability_grade = care.dimension_key
    left join destitute on holder.month = destitute.month and holder.person_key = destitute.person_key
    where holder.is_severe and care.value > 0 and destitute.person_key is null
    group by
        holder.month, holder.household_id, holder.person_key, holder.county_code, holder.grace_months, care.value
),

due_living as (
    select
        holder.month,
        holder.household_id,
        holder.person_key,
        holder.county_code,
        holder.grace_months,
        'CS' as benefit,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('holder.delivery_id', 'holder.row_number') }} as evidence
    from holder
    inner join beneficiary on holder.month = beneficiary.month and holder.person_key = beneficiary.person_key
    inner join living
        on
            holder.month = living.month
            and holder.county_code = living.county_code
            and beneficiary.layer = living.dimension_key
    left join destitute on holder.month = destitute.month and holder.person_key = destitute.person_key
    left join orphan on holder.person_key = orphan.person_key and {{ in_force('holder.month', 'orphan') }}
    where
        living.value > 0
        and {{ months_between('beneficiary.approved_on', 'holder.month') }} >= holder.grace_months
        and destitute.person_key is null
        and orphan.person_key is null
    group by holder.month, holder.household_id, holder.person_key, holder.county_code, holder.grace_months
),

due as (
    select * from due_care
    union all
    select * from due_living
),

-- Any entry in the payment file, a returned one too: then it is the account that has to be put right.
payment as (
    select distinct
        person_key,
        benefit,
        benefit_month,
        known_month
    from {{ ref('person_payment') }}
),

arrival as (
    {{ arrived_months('assistance_payment') }}
),

unpaid as (
    select due.*
    from due
    inner join arrival
        on due.month = arrival.month and due.county_code = arrival.county_code
    left join payment
        on
            due.person_key = payment.person_key
            and due.benefit = payment.benefit
            and due.month >= payment.benefit_month
            and due.month >= payment.known_month
            and {{ months_between('payment.benefit_month', 'due.month') }} <= due.grace_months
    where arrival.arrived_streak > due.grace_months and payment.person_key is null
),

final as (
    select
        month,
        'N19' as indicator,
        household_id,
        person_key,
        cast(null as string) as level,
        count(distinct benefit) as value,
        max(threshold) as threshold,
        {{ evidence_union('evidence') }} as evidence
    from unpaid
    group by month, household_id, person_key
)

select * from final
