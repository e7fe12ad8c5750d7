{# How households keep their keys (identity.household_identity). Rules of who lives with whom are in the models. #}

{# Of votes for parts (month, from_part_key, part_key, votes, has_head) the strongest for each of one side. #}
{% macro most_votes(vote, each, other) -%}
    select * from {{ vote }}
    qualify
        row_number() over (
            partition by month, {{ each }}
            order by votes desc, has_head desc, (from_part_key = part_key) desc, {{ other }}
        ) = 1
{%- endmacro %}
