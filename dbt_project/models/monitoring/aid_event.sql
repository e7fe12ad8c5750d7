{%- set columns = [
    'kind', 'nature', 'feed', 'person_key', 'household_id', 'event_on', 'month', 'benefit', 'code_table', 'code',
    'certificate_no', 'period_from', 'period_to', 'amount_yuan', 'status', 'delivery_id', 'row_number'
] -%}
with
payment as (
    select
        'payment' as kind,
        'aid' as nature,
        'assistance_payment' as feed,
        person_key,
        cast(null as string) as household_id,
        paid_on as event_on,
        known_month as month,
        benefit,
        'benefit' as code_table,
        benefit as code,
        cast(null as string) as certificate_no,
        benefit_month as period_from,
        benefit_month as period_to,
        amount_yuan,
        case when is_paid then 'paid' else 'returned' end as status,
        delivery_id,
        row_number
    from {{ ref('person_payment') }}
),

register as (
    select * from {{ ref('register_event') }}
),

temporary as (
    select
        'temporary_assistance' as kind,
        'aid' as nature,
        'temporary_assistance' as feed,
        person_key,
        cast(null as string) as household_id,
        approved_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'hardship_type' as code_table,
        hardship_type as code,
        cast(null as string) as certificate_no,
        approved_on as period_from,
        approved_on as period_to,
        amount_yuan,
        -- The money itself comes as a payment of LS.
        'approved' as status,
        delivery_id,
        row_number
    from {{ ref('person_temporary_assistance') }}
),

settlement as (
    select * from {{ ref('person_medical_settlement') }}
),

medical as (
    {% for kind, amount in [
        ('medical_aid', 'medical_aid_paid_yuan'), ('catastrophic_insurance', 'catastrophic_paid_yuan')
    ] %}
    select
        '{{ kind }}' as kind,
        'aid' as nature,
        'medical_settlement' as feed,
        person_key,
        cast(null as string) as household_id,
        settled_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'care_type' as code_table,
        care_type as code,
        cast(null as string) as certificate_no,
        settled_on as period_from,
        settled_on as period_to,
        {{ amount }} as amount_yuan,
        'paid' as status,
        delivery_id,
        row_number
    from settlement
    where {{ amount }} <> 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

listed as (
    select * from {{ ref('aid_list_event') }}
),

report as (
    select
        'community_report' as kind,
        'contact' as nature,
        'community_report' as feed,
        person_key,
        household_id,
        reported_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'need' as code_table,
        need as code,
        cast(null as string) as certificate_no,
        reported_on as period_from,
        reported_on as period_to,
        cast(null as decimal(14, 2)) as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from {{ ref('person_community_report') }}
    where person_key is not null
),

visited as (
    select
        'visit' as kind,
        'contact' as nature,
        'visit_outcome' as feed,
        person_key,
        household_id,
        visited_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'outcome' as code_table,
        outcome as code,
        cast(null as string) as certificate_no,
        visited_on as period_from,
        visited_on as period_to,
        cast(null as decimal(14, 2)) as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from {{ ref('visit') }}
    where coalesce(person_key, household_id) is not null
    -- A number given out may stand for the households of two alerts; the visit is one.
    qualify row_number() over (partition by delivery_id, row_number order by household_id nulls last) = 1
),

request as (
    select
        'check_request' as kind,
        'contact' as nature,
        'check_request' as feed,
        person_key,
        cast(null as string) as household_id,
        requested_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'purpose' as code_table,
        purpose as code,
        cast(null as string) as certificate_no,
        requested_on as period_from,
        requested_on as period_to,
        cast(null as decimal(14, 2)) as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from {{ ref('person_check_request') }}
),

disaster as (
    select
        'disaster' as kind,
        'need' as nature,
        'disaster_event' as feed,
        person_key,
        cast(null as string) as household_id,
        occurred_on as event_on,
        known_month as month,
        cast(null as string) as benefit,
        'disaster_type' as code_table,
        disaster_type as code,
        cast(null as string) as certificate_no,
        occurred_on as period_from,
        occurred_on as period_to,
        loss_yuan as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from {{ ref('person_disaster') }}
),

event as (
    {% for relation in [
        'payment', 'register', 'temporary', 'medical', 'listed', 'report', 'visited', 'request', 'disaster'
    ] %}
    select {{ columns | join(', ') }} from {{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

feed as (
    select
        feed,
        department
    from {{ source('reference', 'feed') }}
),

run as (
    select
        min(month) as first_month,
        max(month) as last_month
    from {{ ref('run_month') }}
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
),

-- Whose household: that of the month in which it happened, as far as months are known and news had come.
dated as (
    select
        event.*,
        feed.department,
        case
            when {{ month_of('event.event_on') }} between run.first_month and event.month
                then {{ month_of('event.event_on') }}
            else event.month
        end as household_month
    from event
    inner join feed on event.feed = feed.feed
    inner join run on event.month between run.first_month and run.last_month
),

final as (
    select
        dated.month,
        dated.event_on,
        dated.person_key,
        coalesce(dated.household_id, member.household_id) as household_id,
        dated.household_month,
        dated.kind,
        dated.nature,
        dated.department,
        dated.feed,
        dated.benefit,
        dated.code_table,
        dated.code,
        dated.certificate_no,
        cast(dated.period_from as date) as period_from,
        cast(dated.period_to as date) as period_to,
        {{ yuan('dated.amount_yuan') }} as amount_yuan,
        dated.status,
        dated.delivery_id,
        dated.row_number
    from dated
    left join member on dated.household_month = member.month and dated.person_key = member.person_key
)

select * from final
