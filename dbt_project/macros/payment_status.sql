{#
    What became of an allowance of a month: due and paid amounts are null or decimals, the rest as in
    allowance_due_month. `missing` is what N20 says; before that it is waited for, and where the file did not come in
    nothing is known.
#}
{% macro payment_status(due, paid, is_missing, is_payment_told, last_entry_month, month) -%}
    case
        when coalesce({{ due }}, 0) = 0 and coalesce({{ paid }}, 0) = 0 then 'not_due'
        when coalesce({{ due }}, 0) = 0 then 'undue'
        when {{ paid }} > {{ due }} then 'too_much'
        when {{ paid }} = {{ due }} then 'paid'
        when {{ paid }} > 0 then 'too_little'
        when {{ last_entry_month }} = {{ month }} then 'returned'
        when {{ is_missing }} then 'missing'
        when not {{ is_payment_told }} then 'unknown'
        else 'waiting'
    end
{%- endmacro %}
