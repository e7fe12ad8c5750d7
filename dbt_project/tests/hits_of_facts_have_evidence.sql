-- Every indicator but the model's leads back to rows of deliveries.
select
    month,
    indicator,
    household_id,
    person_key
from {{ ref('indicator_hit') }}
where indicator <> 'N30' and {{ list_length('evidence') }} = 0
