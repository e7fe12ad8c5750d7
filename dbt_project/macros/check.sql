{# Means checks (monitoring.check_request_*): the family is who was asked for, the rules are those of households. #}

{# The graver layer has the smaller number; layers by rule that are none have the greatest. #}
{% macro layer_rank(layer) -%}
    case {{ layer }}
        when 'destitute' then 1
        when 'dibao' then 2
        when 'marginal' then 3
        when 'rigid_expenditure' then 4
        when 'relapse_risk' then 5
        when 'other_hardship' then 6
        else 7
    end
{%- endmacro %}
