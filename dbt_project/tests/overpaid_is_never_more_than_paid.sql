-- Of one payment, all claims together: whatever rules hit, no money is asked back twice.
select
    payee_key,
    benefit,
    benefit_month,
    known_from
from {{ ref('overpayment_month') }}
group by payee_key, benefit, benefit_month, known_from
having sum(overpaid_yuan) > max(paid_yuan) or min(overpaid_yuan) <= 0
