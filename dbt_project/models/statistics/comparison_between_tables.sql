{#- What the statistics say, and what other tables (or parts of the same figure) say of the same, area by area. -#}
{%- set same_figure = {
    'persons_and_register': 'register_persons',
    'households_and_certificates': 'register_households',
    'paid_amount_and_rows': 'payment_amount',
    'persons_paid_and_rows': 'payment_persons_any',
    'grants_and_rows': 'assistance_grants',
    'grants_and_payments': 'assistance_amount',
    'listed_and_list': 'alerts_listed',
    'answered_and_visits': 'alerts_answered',
    'visits_and_rows': 'visits',
    'requests_and_rows': 'check_requests',
} -%}
with
total as (
    select
        figure,
        month,
        area_level,
        area_code,
        coalesce(value, 0) as value
    from {{ ref('figure_month_area') }}
    where numerator is null and layer = 'all' and dimension = 'all'
),

month as (
    select * from {{ ref('run_month') }}
),

place as (
    select * from {{ ref('place') }}
),

registered as (
    select
        member.month,
        member.person_key,
        member.certificate_no,
        place.village_code
    from {{ ref('benefit_member_month') }} as member
    inner join {{ ref('benefit_household_month') }} as certificate
        on member.month = certificate.month and member.certificate_no = certificate.certificate_no
    inner join place on coalesce(certificate.village_code, '') = place.told_code
    where member.is_counted_here
),

household as (
    select
        household.month,
        household.household_id,
        place.village_code
    from {{ ref('household_month') }} as household
    inner join place on coalesce(household.village_code, '') = place.told_code
),

nowhere as (
    select village_code
    from place
    where told_code = ''
),

paid_place as (
    select
        month,
        person_key,
        min(village_code) as village_code
    from {{ ref('paid_person_month') }}
    group by month, person_key
),

-- Who was paid, straight from the payments; the place is that by which the statistics go.
paid as (
    select
        payment.known_month as month,
        payment.person_key,
        payment.amount_yuan,
        counted.village_code
    from {{ ref('person_payment') }} as payment
    inner join paid_place as counted
        on payment.known_month = counted.month and payment.person_key = counted.person_key
    where payment.is_paid
),

-- The other side of each figure, counted without the tables of the statistics.
other_side as (
    select
        'persons_and_register' as check_id,
        month,
        village_code,
        cast(count(distinct person_key) as decimal(18, 4)) as right_value
    from registered
    group by month, village_code
    union all
    select
        'households_and_certificates' as check_id,
        certificate.month,
        place.village_code,
        count(*) as right_value
    from {{ ref('benefit_household_month') }} as certificate
    inner join place on coalesce(certificate.village_code, '') = place.told_code
    group by certificate.month, place.village_code
    union all
    select
        'paid_amount_and_rows' as check_id,
        month,
        village_code,
        sum(amount_yuan) as right_value
    from paid
    group by month, village_code
    union all
    select
        'persons_paid_and_rows' as check_id,
        month,
        village_code,
        count(distinct person_key) as right_value
    from paid
    where amount_yuan > 0
    group by month, village_code
    union all
    select
        'grants_and_rows' as check_id,
        granted.known_month as month,
        coalesce(household.village_code, nowhere.village_code) as village_code,
        count(*) as right_value
    from {{ ref('person_temporary_assistance') }} as granted
    cross join nowhere
    left join {{ ref('household_member_month') }} as member
        on granted.known_month = member.month and granted.person_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    group by granted.known_month, coalesce(household.village_code, nowhere.village_code)
    union all
    select
        'grants_and_payments' as check_id,
        month,
        village_code,
        sum(paid_yuan) as right_value
    from {{ ref('paid_person_month') }}
    where benefit = 'LS'
    group by month, village_code
    union all
    select
        'listed_and_list' as check_id,
        list.month,
        place.village_code,
        count(*) as right_value
    from {{ ref('alert_list') }} as list
    inner join place on coalesce(list.village_code, '') = place.told_code
    group by list.month, place.village_code
    union all
    select
        'answered_and_visits' as check_id,
        month,
        village_code,
        count(*) as right_value
    from {{ ref('visit_month') }}
    group by month, village_code
    union all
    select
        'visits_and_rows' as check_id,
        visit.known_month as month,
        coalesce(household.village_code, nowhere.village_code) as village_code,
        count(*) as right_value
    from {{ ref('visit') }} as visit
    cross join nowhere
    left join household on visit.known_month = household.month and visit.household_id = household.household_id
    group by visit.known_month, coalesce(household.village_code, nowhere.village_code)
    union all
    select
        'requests_and_rows' as check_id,
        request.month,
        coalesce(household.village_code, nowhere.village_code) as village_code,
        count(distinct request.request_no) as right_value
    from (
        select
            request_no,
            applicant_key,
            min(known_month) over (partition by request_no) as month
        from {{ ref('person_check_request') }}
    ) as request
    cross join nowhere
    left join {{ ref('household_member_month') }} as member
        on request.month = member.month and request.applicant_key = member.person_key
    left join household on member.month = household.month and member.household_id = household.household_id
    group by request.month, coalesce(household.village_code, nowhere.village_code)
),

other_upwards as (
    {{ summed_upwards('other_side', ['check_id', 'month'], ['right_value']) }}
),

entitled as (
    select
        month,
        village_code,
        sum(entitled) as entitled,
        sum(missing) as missing
    from (
        select
            month,
            village_code,
            1 as entitled,
            0 as missing
        from {{ ref('register_household_month') }}
        where is_household and layer in {{ register_benefit_layers() }} and monthly_amount_yuan > 0
        union all
        select
            month,
            village_code,
            0 as entitled,
            1 as missing
        from {{ ref('register_payment_difference') }}
        where check_id = 'entitled_and_paid'
    ) as either
    group by month, village_code
),

paid_person as (
    select
        month,
        village_code,
        sum(paid) as paid,
        sum(missing) as missing
    from (
        select
            payment.benefit_month as month,
            coalesce(household.village_code, nowhere.village_code) as village_code,
            count(distinct payment.person_key) as paid,
            0 as missing
        from {{ ref('person_payment') }} as payment
        cross join nowhere
        left join {{ ref('household_member_month') }} as member
            on payment.benefit_month = member.month and payment.person_key = member.person_key
        left join household on member.month = household.month and member.household_id = household.household_id
        where
            payment.benefit in {{ register_benefits() }}
            and payment.known_month <= payment.benefit_month
            and payment.is_paid
            and payment.amount_yuan > 0
        group by payment.benefit_month, coalesce(household.village_code, nowhere.village_code)
        union all
        select
            month,
            village_code,
            0 as paid,
            1 as missing
        from {{ ref('register_payment_difference') }}
        where check_id = 'paid_and_registered'
    ) as either
    group by month, village_code
),

registered_elder as (
    select
        month.month,
        count(distinct elder.person_key) as person_count
    from {{ ref('person_elder_register') }} as elder
    inner join month on {{ in_force('month.month', 'elder') }}
    group by month.month
),

overdue_hit as (
    select
        month,
        count(distinct household_id) as household_count
    from {{ ref('indicator_hit') }}
    where indicator = 'X08'
    group by month
),

with_other_table as (
    {%- for check, name in same_figure.items() %}
    select
        '{{ check }}' as check_id,
        total.figure,
        total.month,
        total.area_level,
        total.area_code,
        total.value as left_value,
        coalesce(other_upwards.right_value, 0) as right_value
    from total
    left join other_upwards
        on
            other_upwards.check_id = '{{ check }}'
            and total.month = other_upwards.month
            and total.area_level = other_upwards.area_level
            and total.area_code = other_upwards.area_code
    where total.figure = '{{ name }}' and total.area_level <> 'village'
    union all
    {%- endfor %}
    -- Certificates that should be paid, and those of them that were; persons paid, and those of them on the register.
    select
        'entitled_and_paid' as check_id,
        'register_households' as figure,
        month,
        area_level,
        area_code,
        sum(entitled) as left_value,
        sum(entitled - missing) as right_value
    from ({{ summed_upwards('entitled', ['month'], ['entitled', 'missing']) }}) as upwards
    group by month, area_level, area_code
    union all
    select
        'paid_and_registered' as check_id,
        'payment_persons' as figure,
        month,
        area_level,
        area_code,
        sum(paid) as left_value,
        sum(paid - missing) as right_value
    from ({{ summed_upwards('paid_person', ['month'], ['paid', 'missing']) }}) as upwards
    group by month, area_level, area_code
    union all
    select
        'overdue_reviews_and_hits' as check_id,
        total.figure,
        total.month,
        total.area_level,
        total.area_code,
        total.value as left_value,
        cast(coalesce(hit.household_count, 0) as decimal(18, 4)) as right_value
    from total
    left join overdue_hit as hit on total.month = hit.month
    where total.figure = 'reviews_overdue' and total.area_level = 'city'
    union all
    select
        'elders_and_register' as check_id,
        total.figure,
        total.month,
        total.area_level,
        total.area_code,
        total.value as left_value,
        cast(coalesce(registered_elder.person_count, 0) as decimal(18, 4)) as right_value
    from total
    left join registered_elder on total.month = registered_elder.month
    where total.figure = 'elders_to_visit' and total.area_level = 'city'
),

-- Parts of one figure against another.
of_parts as (
    select
        'persons_by_area_type' as check_id,
        whole.figure,
        whole.month,
        whole.area_level,
        whole.area_code,
        whole.value as left_value,
        parts.value as right_value
    from total as whole
    inner join total as parts
        on
            parts.figure = 'register_persons_by_area_type'
            and whole.month = parts.month
            and whole.area_level = parts.area_level
            and whole.area_code = parts.area_code
    where whole.figure = 'register_persons' and whole.area_level <> 'village'
    union all
    select
        'alerts_by_level_and_side' as check_id,
        whole.figure,
        whole.month,
        whole.area_level,
        whole.area_code,
        whole.value as left_value,
        parts.value as right_value
    from total as whole
    inner join total as parts
        on
            parts.figure = 'alerts_by_level'
            and whole.month = parts.month
            and whole.area_level = parts.area_level
            and whole.area_code = parts.area_code
    where whole.figure = 'alerts_standing' and whole.area_level <> 'village'
    union all
    select
        'children_by_risk_and_state' as check_id,
        whole.figure,
        whole.month,
        whole.area_level,
        whole.area_code,
        whole.value as left_value,
        parts.value as right_value
    from total as whole
    inner join total as parts
        on
            parts.figure = 'children_by_risk'
            and whole.month = parts.month
            and whole.area_level = parts.area_level
            and whole.area_code = parts.area_code
    where whole.figure = 'children_of_concern' and whole.area_level <> 'village'
    union all
    select
        'rule_layers_and_households' as check_id,
        parts.figure,
        parts.month,
        parts.area_level,
        parts.area_code,
        parts.value as left_value,
        whole.value as right_value
    from total as parts
    inner join total as whole
        on
            whole.figure = 'resident_households'
            and parts.month = whole.month
            and parts.area_level = whole.area_level
            and parts.area_code = whole.area_code
    where parts.figure = 'households_by_rule' and parts.area_level <> 'village'
),

simple as (
    select * from with_other_table
    union all
    select * from of_parts
),

compared as (
    select
        *,
        left_value - right_value as difference
    from simple
),

final as (
    select
        compared.check_id,
        compared.figure,
        compared.month,
        compared.area_level,
        compared.area_code,
        cast(compared.left_value as decimal(18, 4)) as left_value,
        cast(compared.right_value as decimal(18, 4)) as right_value,
        cast(compared.difference as decimal(18, 4)) as difference
    from compared
    inner join month on compared.month = month.month
)

select * from final
