with
-- Members of households with an alert of the need side; nobody else is looked at.
alerted as (
    select distinct
        month,
        household_id
    from {{ ref('alert_reason') }}
    where side = 'need' and {{ since_rebuild('month') }}
),

household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

member as (
    select
        member.month,
        member.household_id,
        member.person_key,
        member.age_years,
        household.county_code
    from {{ ref('household_member_month') }} as member
    inner join alerted on member.month = alerted.month and member.household_id = alerted.household_id
    inner join household on member.month = household.month and member.household_id = household.household_id
    where member.is_counted
),

certificate as (
    select * from {{ ref('person_disability') }}
    where status = '1'
),

child as (
    select * from {{ ref('person_child_register') }}
    where child_category = '1'
),

-- Allowances of old age and of children on the register that are due and not paid.
missing as (
    select * from {{ ref('allowance_due_month') }}
    where is_missing
),

layer as (
    select * from {{ ref('household_layer_month') }}
),

parent as (
    select
        month,
        child_key,
        count(*) as parent_count,
        sum(case when care = 'gone' then 1 else 0 end) as gone_count
    from {{ ref('child_parent_care') }}
    where {{ since_rebuild('month') }}
    group by month, child_key
),

elder as (
    select * from {{ ref('person_elder_register') }}
    where ability_level is not null
),

entry as (
    select
        month,
        person_key,
        max(case when layer = 'dibao' then 1 else 0 end) as is_dibao,
        max(case when layer = 'destitute' then 1 else 0 end) as is_destitute
    from {{ ref('register_entry') }}
    where {{ since_rebuild('month') }}
    group by month, person_key
),

-- A child whose parents are both away and who is on no register of children: rule N12.
unregistered as (
    select distinct
        month,
        person_key
    from {{ ref('indicator_hit') }}
    where indicator = 'N12'
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

arrival as (
    {{ arrived_months('assistance_payment') }}
),

living as (
    {{ policy_parameter('living_allowance') }}
),

care as (
    {{ policy_parameter('care_allowance') }}
),

orphan_amount as (
    {{ policy_parameter('orphan_allowance') }}
),

child_amount as (
    {{ policy_parameter('unattended_child_allowance') }}
),

nursing as (
    {{ policy_parameter('nursing_fee') }}
),

self_care as (
    {{ policy_parameter('ability_self_care') }}
),

certified as (
    select
        member.*,
        certificate.is_severe,
        certificate.disability_grade,
        coalesce(entry.is_dibao, 0) as is_dibao,
        coalesce(entry.is_destitute, 0) as is_destitute,
        coalesce(layer.rule_layer = 'dibao' and layer.register_layer <> 'destitute', false) as is_dibao_by_rule,
        child.person_key is not null as is_orphan
    from member
    inner join certificate
        on member.person_key = certificate.person_key and {{ in_force('member.month', 'certificate') }}
    left join entry on member.month = entry.month and member.person_key = entry.person_key
    left join layer on member.month = layer.month and member.household_id = layer.household_id
    left join child on member.person_key = child.person_key and {{ in_force('member.month', 'child') }}
    where certificate.valid_until is null or certificate.valid_until >= member.month
    -- The gravest certificate, one that is read twice once.
    qualify
        row_number() over (
            partition by member.month, member.person_key
            order by certificate.disability_grade, certificate.is_severe desc, certificate.certificate_key
        ) = 1
),

-- Of a child on no register of children: nobody has paid, and nobody has told of its parents but the data.
parentless as (
    select
        member.*,
        parent.gone_count >= parent.parent_count as is_orphan
    from member
    inner join unregistered
        on member.month = unregistered.month and member.person_key = unregistered.person_key
    inner join parent on member.month = parent.month and member.person_key = parent.child_key
),

dependent as (
    select
        member.*,
        elder.ability_level,
        nursing.value as amount
    from member
    inner join entry on member.month = entry.month and member.person_key = entry.person_key
    inner join elder on member.person_key = elder.person_key and {{ in_force('member.month', 'elder') }}
    inner join self_care
        on
            member.month = self_care.month
            and member.county_code = self_care.county_code
            and elder.ability_level = self_care.dimension_key
    inner join nursing
        on
            member.month = nursing.month
            and member.county_code = nursing.county_code
            and self_care.value_text = nursing.dimension_key
    where entry.is_destitute = 1
    qualify
        row_number() over (
            partition by member.month, member.person_key order by nursing.value desc, elder.ability_level desc
        ) = 1
),

due as (
    select
        certified.month,
        certified.household_id,
        certified.person_key,
        certified.county_code,
        'living_allowance' as assistance,
        'CS' as benefit,
        living.value as amount,
        case
            when certified.is_dibao = 1 then {{ list_of([
                condition('disability_certificate', 'certified.disability_grade'), condition('dibao_family')
            ]) }}
            else {{ list_of([
                condition('disability_certificate', 'certified.disability_grade'), condition('dibao_by_rule')
            ]) }}
        end as conditions,
        certified.is_dibao = 0 as is_dibao_first
    from certified
    inner join living on certified.month = living.month and certified.county_code = living.county_code
    -- Not together with destitute support; orphans have care but no living allowance.
    where
        (certified.is_dibao = 1 or certified.is_dibao_by_rule)
        and certified.is_destitute = 0
        and not certified.is_orphan
    union all
    select
        certified.month,
        certified.household_id,
        certified.person_key,
        certified.county_code,
        'care_allowance' as assistance,
        'CH' as benefit,
        care.value as amount,
        {{ list_of([condition('severe_disability', 'certified.disability_grade')]) }} as conditions,
        false as is_dibao_first
    from certified
    inner join care
        on
            certified.month = care.month
            and certified.county_code = care.county_code
            and certified.disability_grade = care.dimension_key
    where certified.is_severe and certified.is_destitute = 0 and care.value > 0
    union all
    select
        parentless.month,
        parentless.household_id,
        parentless.person_key,
        parentless.county_code,
        case when parentless.is_orphan then 'orphan_allowance' else 'unattended_child_allowance' end as assistance,
        case when parentless.is_orphan then 'GE' else 'SS' end as benefit,
        case when parentless.is_orphan then orphan_amount.value else child_amount.value end as amount,
        case
            when parentless.is_orphan then {{ list_of([condition('orphan')]) }}
            else {{ list_of([condition('unattended_child')]) }}
        end as conditions,
        false as is_dibao_first
    from parentless
    -- At home with relatives; the amount of institutions is theirs.
    left join orphan_amount
        on
            parentless.month = orphan_amount.month
            and parentless.county_code = orphan_amount.county_code
            and orphan_amount.dimension_key = '2'
    left join child_amount
        on parentless.month = child_amount.month and parentless.county_code = child_amount.county_code
    union all
    select
        dependent.month,
        dependent.household_id,
        dependent.person_key,
        dependent.county_code,
        'nursing_fee' as assistance,
        'HL' as benefit,
        dependent.amount,
        {{ list_of([condition('destitute_registered'), condition('self_care_lost', 'dependent.ability_level')]) }}
            as conditions,
        false as is_dibao_first
    from dependent
),

-- Any entry in the payment file, a returned one too: then it is the account that has to be put right. An orphan's and
-- an unattended child's money stand for each other.
payment as (
    select distinct
        person_key,
        case when benefit in ('GE', 'SS') then 'child' else benefit end as kind,
        benefit_month,
        known_month
    from {{ ref('person_payment') }}
    where {{ since_rebuild('benefit_month', windows=['payment_grace_months']) }}
),

unpaid as (
    select
        due.month,
        due.household_id,
        due.person_key,
        due.assistance,
        due.amount,
        {{ list_with('due.conditions', condition('not_paid', 'grace.value + 1'), 'grace.value >= 0') }} as conditions,
        due.is_dibao_first
    from due
    inner join grace on due.month = grace.month and due.county_code = grace.county_code
    inner join arrival on due.month = arrival.month and due.county_code = arrival.county_code
    left join payment
        on
            due.person_key = payment.person_key
            and case when due.benefit in ('GE', 'SS') then 'child' else due.benefit end = payment.kind
            and due.month >= payment.benefit_month
            and due.month >= payment.known_month
            and {{ months_between('payment.benefit_month', 'due.month') }} <= grace.value
    -- Without the payment file of these months nobody can say that it was not paid.
    where arrival.arrived_streak > grace.value and payment.person_key is null
),

-- What rule N20 found.
found_missing as (
    select
        missing.month,
        missing.household_id,
        missing.person_key,
        case missing.benefit
            when 'GL' then 'old_age_allowance'
            when 'GE' then 'orphan_allowance'
            else 'unattended_child_allowance'
        end as assistance,
        missing.amount_due_yuan as amount,
        case missing.benefit
            when 'GL' then {{ list_of([
                condition('age_reached', 'missing.value', 'missing.threshold'),
                condition('not_paid', 'grace.value + 1'),
            ]) }}
            when 'GE' then {{ list_of([condition('orphan'), condition('not_paid', 'grace.value + 1')]) }}
            else {{ list_of([condition('unattended_child'), condition('not_paid', 'grace.value + 1')]) }}
        end as conditions,
        false as is_dibao_first
    from missing
    inner join alerted on missing.month = alerted.month and missing.household_id = alerted.household_id
    inner join grace on missing.month = grace.month and missing.county_code = grace.county_code
),

found as (
    select * from unpaid
    union all
    select * from found_missing
),

final as (
    select
        month,
        household_id,
        person_key,
        assistance,
        {{ yuan('amount') }} as amount_yuan,
        conditions,
        is_dibao_first
    from found
)

select * from final
