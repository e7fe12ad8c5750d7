{# Keys made in the warehouse consist of letters only, so that none can look like an ID number. #}
{% macro letters_key(expressions) -%}
    translate(
        md5(concat_ws('|'{% for expression in expressions %}, {{ expression }}{% endfor %})),
        '0123456789', 'ghijklmnop'
    )
{%- endmacro %}
