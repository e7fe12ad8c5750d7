-- No figure without a definition, and no definition without its figure. Figures split into parts without a total may
-- have nothing to tell.
with
told as (
    select distinct figure from {{ ref('figure_month_area') }}
),

catalogue as (
    select * from {{ source('reference', 'figure') }}
)

select
    coalesce(told.figure, catalogue.figure) as figure,
    told.figure is null as is_missing
from told
full outer join catalogue on told.figure = catalogue.figure
where
    catalogue.figure is null
    or (told.figure is null and catalogue.numerator is null and (catalogue.split is null or catalogue.total))
