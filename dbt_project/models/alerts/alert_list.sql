with
alert as (
    select * from {{ ref('alert') }}
    where is_standing and not is_silenced and is_within_capacity
),

member as (
    select
        month,
        household_id,
        {{ ordered_list('person_key', 'person_key') }} as member_keys
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
    group by month, household_id
),

-- Who is there because of the score, or by chance, and how probable that was.
selection as (
    select
        month,
        household_id,
        selection_arm,
        selection_probability
    from {{ ref('n30_model_score') }}
),

final as (
    select
        alert.alert_id,
        alert.month,
        alert.side,
        alert.level,
        alert.household_id,
        alert.reasons,
        alert.due_on,
        alert.charged_township_code as township_code,
        alert.charged_village_code as village_code,
        coalesce(alert.person_key, alert.reference_person_key) as person_key,
        alert.reference_person_key,
        alert.register_layer,
        alert.first_month,
        alert.status,
        alert.last_outcome,
        alert.last_visited_on,
        alert.last_event,
        alert.expected_benefit_yuan,
        member.member_keys,
        selection.selection_arm,
        cast(selection.selection_probability as double) as selection_probability
    from alert
    left join member on alert.month = member.month and alert.household_id = member.household_id
    left join selection
        on
            alert.month = selection.month
            and alert.household_id = selection.household_id
            and alert.side = 'need'
)

select * from final
