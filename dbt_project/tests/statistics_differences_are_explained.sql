-- A difference between two tables that data of late files, grace periods and the like do not explain. It is told and
-- does not stop the lists: the workbook shows it in red (docs/decisions/0035).
{{ config(severity='warn') }}
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
where catalogue.rule = 'explainable' and found.state = 'unexplained'
