{# Keys made in the warehouse consist of letters only, so that none can look like an ID number. #}
{% macro letters_key(expressions) -%}
    translate(
        md5(concat_ws('|'{% for expression in expressions %}, {{ expression }}{% endfor %})),
        '0123456789', 'ghijklmnop'
    )
{%- endmacro %}

{# A number from 0 to below 1 as chance would give it, the same in every run and on every engine: three letters. #}
{% macro draw_number(columns) -%}
    ((
        {% for at in [1, 2, 3] -%}
            (ascii(substr({{ letters_key(columns) }}, {{ at }}, 1)) - 97) * {{ [256, 16, 1][at - 1] }}
            {%- if not loop.last %} + {% endif %}
        {% endfor -%}
    ) / cast(4096 as double))
{%- endmacro %}
