-- What the statistics say must be what the register, the payments, the list and the month before say.
select
    found.check_id,
    found.figure,
    found.month,
    found.area_level,
    found.area_code,
    found.difference,
    found.explanation_en
from {{ ref('figure_check') }} as found
inner join {{ source('reference', 'statistics_check') }} as catalogue on found.check_id = catalogue.check_id
where catalogue.rule = 'identity' and found.state = 'unexplained'
