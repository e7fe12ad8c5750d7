with
booking as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

claim as (
    select * from {{ ref('overpayment_claim') }}
),

payment as (
    select * from {{ ref('payment_month') }}
),

conflict as (
    select * from {{ ref('benefit_conflict_month') }}
),

temporary as (
    select * from {{ ref('person_temporary_assistance') }}
),

aid as (
    select * from {{ ref('aid_event') }}
),

interval_months as (
    {{ city_policy('temporary_aid_interval_months') }}
),

same_need as (
    {{ city_policy('temporary_aid_overlap') }}
),

paid_twice as (
    select
        person_key,
        benefit,
        'paid_twice' as kind,
        benefit_month as first_month,
        benefit_month as last_month,
        1 as month_count,
        sum(amount_yuan) - max(amount_yuan) as amount_yuan,
        max(known_month) as known_month,
        {{ evidence_list() }} as evidence
    from booking
    group by person_key, benefit, benefit_month
    having sum(case when amount_yuan > 0 then 1 else 0 end) >= 2 and sum(amount_yuan) > max(amount_yuan)
),

-- Months in a row in which two benefits stood beside each other, told on the one that was not due.
pair_month as (
    select
        claim.person_key,
        claim.benefit,
        claim.benefit_month as month,
        claim.known_from,
        claim.evidence,
        cast(payment.first_yuan as double) / payment.head_count as yuan,
        {{ month_number('claim.benefit_month') }}
        - row_number() over (partition by claim.person_key, claim.benefit order by claim.benefit_month) as spell_number
    from claim
    inner join payment
        on
            claim.payee_key = payment.person_key
            and claim.benefit = payment.benefit
            and claim.benefit_month = payment.benefit_month
    where claim.event = 'excluded_pair' and claim.known_to = date '9999-12-31'
),

excluded_pair as (
    select
        person_key,
        benefit,
        'excluded_pair' as kind,
        min(month) as first_month,
        max(month) as last_month,
        cast(count(*) as integer) as month_count,
        sum(yuan) as amount_yuan,
        min(known_from) as known_month,
        {{ evidence_union('evidence') }} as evidence
    from pair_month
    group by person_key, benefit, spell_number
),

conflict_month as (
    select
        person_key,
        month,
        {{ evidence_concat(
            evidence_list('delivery_id', 'row_number'), evidence_list('other_delivery_id', 'other_row_number')
        ) }} as evidence
    from conflict
    group by person_key, month
),

conflict_spell as (
    select
        *,
        {{ month_number('month') }} - row_number() over (partition by person_key order by month) as spell_number
    from conflict_month
),

two_certificates as (
    select
        person_key,
        cast(null as string) as benefit,
        'two_certificates' as kind,
        min(month) as first_month,
        max(month) as last_month,
        cast(count(*) as integer) as month_count,
        cast(null as decimal(14, 2)) as amount_yuan,
        min(month) as known_month,
        {{ evidence_union('evidence') }} as evidence
    from conflict_spell
    group by person_key, spell_number
),

-- Temporary assistance with the household it went to.
granted as (
    select
        temporary.*,
        aid.household_id,
        lag(temporary.approved_on) over earlier as approved_before,
        lag(temporary.delivery_id) over earlier as delivery_before,
        lag(temporary.row_number) over earlier as row_before
    from temporary
    inner join aid
        on
            aid.kind = 'temporary_assistance'
            and temporary.delivery_id = aid.delivery_id
            and temporary.row_number = aid.row_number
    where temporary.amount_yuan > 0
    window
        earlier as (
            partition by coalesce(aid.household_id, temporary.person_key), temporary.hardship_type
            order by temporary.approved_on, temporary.application_no
        )
),

repeated as (
    select
        granted.person_key,
        cast(null as string) as benefit,
        'temporary_aid_repeated' as kind,
        {{ month_of('granted.approved_on') }} as first_month,
        {{ month_of('granted.approved_on') }} as last_month,
        max({{ months_between('granted.approved_before', 'granted.approved_on') }}) as month_count,
        sum(granted.amount_yuan) as amount_yuan,
        max(granted.known_month) as known_month,
        {{ evidence_concat(
            evidence_list('granted.delivery_id', 'granted.row_number'),
            evidence_list('granted.delivery_before', 'granted.row_before')
        ) }} as evidence
    from granted
    inner join interval_months on granted.known_month = interval_months.month
    where {{ months_between('granted.approved_before', 'granted.approved_on') }} < interval_months.value
    group by granted.person_key, {{ month_of('granted.approved_on') }}
),

-- The same need answered by two departments in one month.
need_twice as (
    select
        granted.person_key,
        cast(null as string) as benefit,
        'same_need_twice' as kind,
        {{ month_of('granted.approved_on') }} as first_month,
        {{ month_of('granted.approved_on') }} as last_month,
        1 as month_count,
        max(granted.amount_yuan) as amount_yuan,
        max(greatest(granted.known_month, aid.month)) as known_month,
        {{ evidence_concat(
            evidence_list('granted.delivery_id', 'granted.row_number'),
            evidence_list('aid.delivery_id', 'aid.row_number')
        ) }} as evidence
    from granted
    inner join same_need
        on granted.known_month = same_need.month and granted.hardship_type = same_need.dimension_key
    inner join aid
        on
            granted.household_id = aid.household_id
            and same_need.value_text = aid.kind
            and {{ month_of('granted.approved_on') }} = {{ month_of('aid.event_on') }}
            and aid.amount_yuan > 0
    group by granted.person_key, {{ month_of('granted.approved_on') }}
),

final as (
    select * from paid_twice
    union all
    select * from excluded_pair
    union all
    select * from two_certificates
    union all
    select * from repeated
    union all
    select * from need_twice
)

select * from final
