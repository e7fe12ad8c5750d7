{#
    Growth over a year in per cent, whichever way the office of statistics writes it: 3.5 or, as an index number with
    the same month of the year before as base, 103.5. Decimal, so that 103.5 against 100 is 3.5 and nothing near it.
#}
{% macro yearly_growth(value, base) -%}
    cast(
        case
            when cast({{ value }} as decimal(18, 4)) > {{ base }} / 2 then cast({{ value }} as decimal(18, 4)) - {{ base }}
            else cast({{ value }} as decimal(18, 4))
        end as decimal(18, 4)
    )
{%- endmacro %}
