with
month as (
    select month from {{ ref('run_month') }}
),

-- What is looked at when departments are compared: registers as long as they count, events in the month told.
standing as (
    select
        'registered' as compared,
        'population_register' as feed,
        valid_from,
        valid_to
    from {{ ref('hukou_household_member') }}
    where status = '1'
    union all
    select
        'on_register' as compared,
        'assistance_register' as feed,
        valid_from,
        valid_to
    from {{ ref('benefit_household_member') }}
    union all
    select
        'on_register' as compared,
        'elder_register' as feed,
        valid_from,
        valid_to
    from {{ ref('person_elder_register') }}
    union all
    select
        'student' as compared,
        'student_register' as feed,
        valid_from,
        valid_to
    from {{ ref('person_school') }}
    where status = '1'
    union all
    select
        'detained' as compared,
        'social_insurance' as feed,
        valid_from,
        valid_to
    from {{ ref('person_custody') }}
    where is_detained
    union all
    select
        'unemployed' as compared,
        'unemployment_register' as feed,
        valid_from,
        valid_to
    from {{ ref('person_unemployment') }}
    where is_unemployed
    union all
    select
        'pension' as compared,
        'pension_payment' as feed,
        known_month as valid_from,
        {{ add_months('known_month', 1) }} as valid_to
    from {{ ref('person_pension') }}
    union all
    select
        'settlement' as compared,
        'medical_settlement' as feed,
        settled_month as valid_from,
        {{ add_months('settled_month', 1) }} as valid_to
    from {{ ref('person_medical_settlement') }}
    union all
    select
        'certificate' as compared,
        'assistance_register' as feed,
        month as valid_from,
        {{ add_months('month', 1) }} as valid_to
    from {{ ref('benefit_household_month') }}
),

-- Counted by spell first: there are few different ones.
spell as (
    select
        compared,
        feed,
        valid_from,
        valid_to,
        count(*) as row_count
    from standing
    where {{ since_rebuild('valid_to') }}
    group by compared, feed, valid_from, valid_to
),

final as (
    select
        month.month,
        spell.compared,
        spell.feed,
        cast(sum(spell.row_count) as bigint) as row_count
    from month
    inner join spell on {{ in_force('month.month', 'spell') }}
    group by month.month, spell.compared, spell.feed
)

select * from final
