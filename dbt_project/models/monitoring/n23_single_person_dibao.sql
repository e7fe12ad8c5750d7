with
entry as (
    select * from {{ ref('register_entry') }}
),

-- In which layers a severely disabled or seriously ill person may have dibao alone.
open_layer as (
    {{ policy_parameter('single_person_layers') }}
),

edge as (
    select entry.*
    from entry
    inner join open_layer
        on
            entry.month = open_layer.month
            and entry.county_code = open_layer.county_code
            and entry.layer = open_layer.dimension_key
    where open_layer.value > 0
),

covered as (
    select distinct
        month,
        person_key
    from entry
    where layer in ('dibao', 'destitute')
),

certificate as (
    select * from {{ ref('person_disability') }}
    where status = '1' and is_severe
),

member as (
    select * from {{ ref('household_member_month') }}
    where is_counted
),

spending as (
    select
        member.month,
        member.person_key,
        sum(settlement.out_of_pocket_yuan) as out_of_pocket_12m_yuan,
        {{ evidence_list('settlement.delivery_id', 'settlement.row_number') }} as evidence
    from edge as member
    inner join {{ ref('person_medical_settlement') }} as settlement
        on
            member.person_key = settlement.person_key
            and settlement.settled_month > {{ window_back('member.month', 'rigid_spending_window_months') }}
            and member.month >= settlement.settled_month
    group by member.month, member.person_key
),

-- A major illness shows in what the person alone has paid: the line of N01 for such a family.
line as (
    {{ policy_parameter('n01_medical_line') }}
),

disabled as (
    select
        edge.month,
        edge.person_key,
        edge.layer,
        cast(max(cast(certificate.disability_grade as integer)) as decimal(18, 4)) as value,
        cast(null as decimal(18, 4)) as threshold,
        {{ evidence_list('certificate.delivery_id', 'certificate.row_number') }} as evidence
    from edge
    inner join certificate on edge.person_key = certificate.person_key and {{ in_force('edge.month', 'certificate') }}
    where certificate.valid_until is null or certificate.valid_until >= edge.month
    group by edge.month, edge.person_key, edge.layer
),

ill as (
    select
        edge.month,
        edge.person_key,
        edge.layer,
        spending.out_of_pocket_12m_yuan as value,
        line.value as threshold,
        spending.evidence
    from edge
    inner join spending on edge.month = spending.month and edge.person_key = spending.person_key
    inner join line
        on
            edge.month = line.month
            and edge.county_code = line.county_code
            and edge.layer = line.dimension_key
    where spending.out_of_pocket_12m_yuan > line.value
),

reason as (
    select * from disabled
    union all
    select * from ill
),

final as (
    select
        reason.month,
        'N23' as indicator,
        member.household_id,
        reason.person_key,
        cast(null as string) as level,
        max(reason.value) as value,
        max(reason.threshold) as threshold,
        {{ evidence_union('reason.evidence') }} as evidence
    from reason
    inner join member on reason.month = member.month and reason.person_key = member.person_key
    left join covered on reason.month = covered.month and reason.person_key = covered.person_key
    where covered.person_key is null
    group by reason.month, member.household_id, reason.person_key
)

select * from final
