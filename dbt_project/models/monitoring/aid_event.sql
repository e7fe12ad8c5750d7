{#-
    What each feed tells of a person or household as one event: its kind, the code that says more, and what else it
    knows. What is not said is not known; the period is the day, where no other is said.
-#}
{%- set columns = [
    'kind', 'nature', 'feed', 'person_key', 'household_id', 'event_on', 'month', 'benefit', 'code_table', 'code',
    'certificate_no', 'period_from', 'period_to', 'amount_yuan', 'status', 'delivery_id', 'row_number'
] -%}
{%- set told = [
    {
        'kind': 'payment', 'nature': 'aid', 'feed': 'assistance_payment', 'relation': 'payment', 'day': 'paid_on',
        'code': 'benefit', 'benefit': 'benefit', 'period': 'benefit_month', 'amount': 'amount_yuan',
        'status': "case when is_paid then 'paid' else 'returned' end"
    },
    {
        'kind': 'temporary_assistance', 'nature': 'aid', 'feed': 'temporary_assistance', 'relation': 'temporary',
        'day': 'approved_on', 'code': 'hardship_type', 'amount': 'amount_yuan', 'status': "'approved'"
    },
    {
        'kind': 'medical_aid', 'nature': 'aid', 'feed': 'medical_settlement', 'relation': 'settlement',
        'day': 'settled_on', 'code': 'care_type', 'amount': 'medical_aid_paid_yuan', 'status': "'paid'",
        'where': 'medical_aid_paid_yuan <> 0'
    },
    {
        'kind': 'catastrophic_insurance', 'nature': 'aid', 'feed': 'medical_settlement', 'relation': 'settlement',
        'day': 'settled_on', 'code': 'care_type', 'amount': 'catastrophic_paid_yuan', 'status': "'paid'",
        'where': 'catastrophic_paid_yuan <> 0'
    },
    {
        'kind': 'community_report', 'nature': 'contact', 'feed': 'community_report', 'relation': 'report',
        'day': 'reported_on', 'code': 'need', 'household': 'household_id', 'where': 'person_key is not null'
    },
    {
        'kind': 'visit', 'nature': 'contact', 'feed': 'visit_outcome', 'relation': 'visited', 'day': 'visited_on',
        'code': 'outcome', 'household': 'household_id'
    },
    {
        'kind': 'check_request', 'nature': 'contact', 'feed': 'check_request', 'relation': 'request',
        'day': 'requested_on', 'code': 'purpose'
    },
    {
        'kind': 'disaster', 'nature': 'need', 'feed': 'disaster_event', 'relation': 'disaster', 'day': 'occurred_on',
        'code': 'disaster_type', 'amount': 'loss_yuan'
    },
] -%}
with
payment as (
    select * from {{ ref('person_payment') }}
),

-- The money itself comes as a payment of LS.
temporary as (
    select * from {{ ref('person_temporary_assistance') }}
),

settlement as (
    select * from {{ ref('person_medical_settlement') }}
),

report as (
    select * from {{ ref('person_community_report') }}
),

visited as (
    select * from {{ ref('visit') }}
    where coalesce(person_key, household_id) is not null
    -- A number given out may stand for the households of two alerts; the visit is one.
    qualify row_number() over (partition by delivery_id, row_number order by household_id nulls last) = 1
),

request as (
    select * from {{ ref('person_check_request') }}
),

disaster as (
    select * from {{ ref('person_disaster') }}
),

register as (
    select * from {{ ref('register_event') }}
),

listed as (
    select * from {{ ref('aid_list_event') }}
),

event as (
    {% for one in told %}
    select
        '{{ one.kind }}' as kind,
        '{{ one.nature }}' as nature,
        '{{ one.feed }}' as feed,
        person_key,
        {{ one.household or 'cast(null as string)' }} as household_id,
        {{ one.day }} as event_on,
        known_month as month,
        {{ one.benefit or 'cast(null as string)' }} as benefit,
        '{{ one.code }}' as code_table,
        {{ one.code }} as code,
        cast(null as string) as certificate_no,
        {{ one.period or one.day }} as period_from,
        {{ one.period or one.day }} as period_to,
        {{ one.amount or 'cast(null as decimal(14, 2))' }} as amount_yuan,
        {{ one.status or 'cast(null as string)' }} as status,
        delivery_id,
        row_number
    from {{ one.relation }}
    where {{ since_rebuild('known_month') }}{{ ' and ' ~ one.where if one.where }}
    union all
    {% endfor %}
    select {{ columns | join(', ') }} from register
    union all
    select {{ columns | join(', ') }} from listed
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
