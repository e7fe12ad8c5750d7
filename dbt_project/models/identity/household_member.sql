with
member as (
    select * from {{ ref('household_member_month') }}
),

run as (
    select max(month) as last_month from {{ ref('run_month') }}
),

-- A row begins where anything changes or where months are missing in between.
compared as (
    select
        *,
        lag(month) over person_months as previous_month,
        lag(household_id) over person_months as previous_household_id,
        lag(role) over person_months as previous_role,
        lag(basis) over person_months as previous_basis,
        lag(not_counted_reason) over person_months as previous_reason
    from member
    window person_months as (partition by person_key order by month)
),

started as (
    select
        *,
        case
            when
                previous_month = {{ add_months('month', -1) }}
                and previous_household_id = household_id
                and previous_role = role
                and previous_basis = basis
                and coalesce(previous_reason, '') = coalesce(not_counted_reason, '')
                then 0
            else 1
        end as starts
    from compared
),

spell as (
    select
        *,
        sum(starts) over (
            partition by person_key
            order by month
            rows between unbounded preceding and current row
        ) as spell_number
    from started
),

final as (
    select
        spell.household_id,
        spell.person_key,
        spell.role,
        spell.basis,
        spell.is_counted,
        spell.not_counted_reason,
        min(spell.month) as valid_from,
        -- What holds in the last month of the run holds on.
        case
            when max(spell.month) = max(run.last_month) then date '9999-12-31'
            else {{ add_months('max(spell.month)', 1) }}
        end as valid_to
    from spell
    cross join run
    group by
        spell.person_key,
        spell.spell_number,
        spell.household_id,
        spell.role,
        spell.basis,
        spell.is_counted,
        spell.not_counted_reason
)

select * from final
