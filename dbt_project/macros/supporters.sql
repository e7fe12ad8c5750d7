{# Persons of a family beside its money: what concerns each, and who must by law support them and can. #}

{#
    What concerns single persons of a relation (month, family_id, person_key): of age or not, old, seriously disabled by
    a certificate in force, how ill by what the person alone has paid in the running months.
#}
{% macro person_condition(member) %}
    select
        {{ member }}.month,
        {{ member }}.family_id,
        {{ member }}.person_key,
        {{ age_years('person.born_on', 'month.month_end') }} as age_years,
        max(case when certificate.is_severe then certificate.disability_grade end) is not null as is_severely_disabled,
        min(case when certificate.is_severe then cast(certificate.disability_grade as integer) end) as severe_grade,
        coalesce(max(spending.out_of_pocket_12m_yuan), 0) as medical_12m_yuan
    from {{ member }}
    inner join {{ ref('run_month') }} as month
        on {{ member }}.month = month.month
    left join {{ ref('person') }} as person
        on {{ member }}.person_key = person.person_key
    left join {{ ref('person_disability') }} as certificate
        on
            {{ member }}.person_key = certificate.person_key
            and {{ in_force(member ~ '.month', 'certificate') }}
            and certificate.status = '1'
            and (certificate.valid_until is null or certificate.valid_until >= {{ member }}.month)
    left join {{ ref('person_month_spending') }} as spending
        on
            {{ member }}.month = spending.month
            and {{ member }}.person_key = spending.person_key
    group by {{ member }}.month, {{ member }}.family_id, {{ member }}.person_key, person.born_on, month.month_end
{% endmacro %}

{#
    Who, by law, must support the persons of a relation (month, family_id, person_key) and is able to: alive, of age,
    not old, not seriously disabled, not detained, not on dibao or destitute themselves. One row per month and family,
    with the rows that tell of the relation.
#}
{% macro able_supporter(member) %}
    with
    able_candidate as (
        select
            {{ member }}.month,
            {{ member }}.family_id,
            supporter.supporter_key as person_key,
            supporter.delivery_id,
            supporter.row_number
        from {{ member }}
        inner join {{ ref('supporter') }} as supporter
            on
                {{ member }}.person_key = supporter.person_key
                and {{ in_force(member ~ '.month', 'supporter') }}
    ),

    able_person as (
        select distinct
            month,
            family_id,
            person_key
        from able_candidate
    ),

    able_condition as (
        {{ person_condition('able_person') }}
    ),

    able_excused as (
        select
            able_person.month,
            able_person.person_key
        from able_person
        inner join {{ ref('benefit_member_month') }} as certificate
            on
                able_person.month = certificate.month
                and able_person.person_key = certificate.person_key
        where certificate.layer in ('destitute', 'dibao')
        union
        select
            able_person.month,
            able_person.person_key
        from able_person
        inner join {{ ref('person_custody') }} as custody
            on
                able_person.person_key = custody.person_key
                and {{ in_force('able_person.month', 'custody') }}
        where custody.is_detained
        union
        select
            able_person.month,
            able_person.person_key
        from able_person
        inner join {{ ref('person') }} as person
            on able_person.person_key = person.person_key
        where person.death_known_month <= able_person.month
    ),

    able_majority as (
        {{ city_policy('majority_age') }}
    ),

    able_old_age as (
        {{ city_policy('old_age') }}
    )

    select
        able_candidate.month,
        able_candidate.family_id,
        {{ evidence_list('able_candidate.delivery_id', 'able_candidate.row_number') }} as evidence
    from able_candidate
    inner join able_condition
        on
            able_candidate.month = able_condition.month
            and able_candidate.family_id = able_condition.family_id
            and able_candidate.person_key = able_condition.person_key
    inner join able_majority
        on able_candidate.month = able_majority.month
    inner join able_old_age
        on able_candidate.month = able_old_age.month
    left join able_excused
        on
            able_candidate.month = able_excused.month
            and able_candidate.person_key = able_excused.person_key
    where
        able_excused.person_key is null
        and not able_condition.is_severely_disabled
        and able_condition.age_years >= able_majority.value
        and able_condition.age_years < able_old_age.value
    group by able_candidate.month, able_candidate.family_id
{% endmacro %}
