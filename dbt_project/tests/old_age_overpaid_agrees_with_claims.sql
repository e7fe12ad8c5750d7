{{ config(severity="warn") }}
-- Old-age allowance paid after death is reckoned twice: beside what was due, month by month, and as a claim to recover.
-- By the last month both say the same of each person.
with
last_month as (
    select max(month) as month from {{ ref('run_month') }}
),

reckoned as (
    select
        person_key,
        sum(overpaid_yuan) as overpaid_yuan
    from {{ ref('old_age_allowance_month') }}
    group by person_key
),

claimed as (
    select
        claim.person_key,
        sum(claim.overpaid_yuan) as overpaid_yuan
    from {{ ref('overpayment_month') }} as claim
    inner join last_month
        on claim.known_from <= last_month.month and claim.known_to > last_month.month
    where claim.benefit = 'GL' and claim.indicator = 'X01'
    group by claim.person_key
)

select
    coalesce(reckoned.person_key, claimed.person_key) as person_key,
    reckoned.overpaid_yuan,
    claimed.overpaid_yuan as claimed_yuan
from reckoned
full outer join claimed on reckoned.person_key = claimed.person_key
where coalesce(reckoned.overpaid_yuan, 0) <> coalesce(claimed.overpaid_yuan, 0)
