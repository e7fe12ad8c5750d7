-- What the statistics say must be what the register, the payments, the list and the month before say.
select found.*
from {{ ref('figure_check') }} as found
inner join {{ source('reference', 'statistics_check') }} as catalogue on found.check_id = catalogue."check"
where catalogue.rule = 'identity' and found.state = 'unexplained'
