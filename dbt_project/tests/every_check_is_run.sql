-- Checks named in the catalogue of figures and checks that were made are the same.
with
told as (
    select distinct check_id from {{ ref('figure_check') }}
),

catalogue as (
    select check_id from {{ source('reference', 'statistics_check') }}
)

select coalesce(told.check_id, catalogue.check_id) as check_id
from told
full outer join catalogue on told.check_id = catalogue.check_id
where
    catalogue.check_id is null
    -- Nobody entitled or paid, no month before: nothing to compare.
    or (
        told.check_id is null
        and catalogue.check_id not in ('entitled_and_paid', 'paid_and_registered', 'person_stock', 'household_stock')
    )
