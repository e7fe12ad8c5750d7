{%- set lists = [
    {'kind': 'child_recognised', 'feed': 'child_register', 'table': 'person_child_register', 'on': 'recognised_on',
     'codes': 'child_category', 'nature': 'register', 'once': ['person_key', 'child_category']},
    {'kind': 'child_visited', 'feed': 'child_register', 'table': 'person_child_register', 'on': 'visited_on',
     'codes': 'child_category', 'nature': 'contact', 'once': ['person_key', 'visited_on']},
    {'kind': 'elder_registered', 'feed': 'elder_register', 'table': 'person_elder_register', 'on': 'valid_from',
     'codes': 'elder_category', 'nature': 'register', 'once': ['person_key', 'elder_category']},
    {'kind': 'elder_visited', 'feed': 'elder_register', 'table': 'person_elder_register', 'on': 'visited_on',
     'codes': 'elder_category', 'nature': 'contact', 'once': ['person_key', 'visited_on']},
    {'kind': 'rural_monitoring_started', 'feed': 'rural_monitoring', 'table': 'person_rural_monitoring',
     'on': 'identified_on', 'codes': 'rural_category', 'column': 'category', 'nature': 'register',
     'once': ['person_key', 'household_no']},
    {'kind': 'rural_monitoring_ended', 'feed': 'rural_monitoring', 'table': 'person_rural_monitoring',
     'on': 'cleared_on', 'codes': 'rural_category', 'column': 'category', 'nature': 'register',
     'once': ['person_key', 'household_no']},
] -%}
with
{% for list in lists %}
{{ list.kind }} as (
    select
        '{{ list.kind }}' as kind,
        '{{ list.nature }}' as nature,
        '{{ list.feed }}' as feed,
        person_key,
        {{ list.on }} as event_on,
        valid_from as month,
        '{{ list.codes }}' as code_table,
        {{ list.column or list.codes }} as code,
        delivery_id,
        row_number
    from {{ ref(list.table) }}
    where {{ list.on }} is not null
    -- A list says the same month after month: the first delivery that told it.
    qualify
        row_number() over (
            partition by {{ list.once | join(', ') }} order by valid_from, delivery_id, row_number
        ) = 1
),
{% endfor %}

school as (
    select
        *,
        lag(is_aided, 1, false) over (partition by person_key order by valid_from) as was_aided
    from {{ ref('person_school') }}
),

school_aid as (
    select
        'school_aid' as kind,
        'aid' as nature,
        'student_register' as feed,
        person_key,
        valid_from as event_on,
        valid_from as month,
        'school_stage' as code_table,
        stage as code,
        delivery_id,
        row_number
    from school
    where is_aided and not was_aided
),

told as (
    {% for list in lists %}
    select * from {{ list.kind }}
    union all
    {% endfor %}
    select * from school_aid
),

final as (
    select
        kind,
        nature,
        feed,
        person_key,
        cast(null as string) as household_id,
        event_on,
        month,
        cast(null as string) as benefit,
        code_table,
        code,
        cast(null as string) as certificate_no,
        event_on as period_from,
        cast(null as date) as period_to,
        cast(null as decimal(14, 2)) as amount_yuan,
        cast(null as string) as status,
        delivery_id,
        row_number
    from told
)

select * from final
