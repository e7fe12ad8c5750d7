{#-
    The months an event speaks of, by table; `known_month` always counts. Those with a column of their own may be told
    late: the contribution for March in the file of May.
-#}
{%- set tables = {
    'person_check_request': [],
    'person_community_report': [],
    'person_contribution': ['contribution_month'],
    'person_death': [],
    'person_disaster': [],
    'person_marriage_event': [],
    'person_medical_settlement': [],
    'person_payment': ['benefit_month'],
    'person_pension': ['pension_month'],
    'person_taxed_income': ['income_month'],
    'person_temporary_assistance': [],
    'person_visit': [],
    'utility_account_month': ['usage_month']
} -%}
with
told as (
    {%- for table, months in tables.items() %}
    select
        last_told_month as month,
        min(least({{ (['known_month', 'last_told_month'] + months) | join(', ') }})) as reaches_to
    from {{ ref(table) }}
    where {{ since_rebuild('last_told_month') }}
    group by last_told_month
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

final as (
    select
        month,
        min(reaches_to) as reaches_to
    from told
    group by month
)

select * from final
