{# Data quality: what counts for the grade of a feed (models/quality/catalogue.yaml, grade). #}

{# A check of the feed itself that was judged and is not waived; punctuality and arrival are a part of their own. #}
{% macro graded(check_class) -%}
    check_class = '{{ check_class }}'
    and feed = feed_owner
    and state <> 'not_applicable'
    and waiver_id is null
    and check_id not in (concat(feed, '.on_time'), concat(feed, '.arrived'))
{%- endmacro %}

{# From 1 at nothing down to 0 at the worst value and beyond; null stays null. #}
{% macro falling(value, worst) -%}
    case when {{ value }} is not null then greatest(1 - least({{ value }} / {{ worst }}, 1), 0) end
{%- endmacro %}
