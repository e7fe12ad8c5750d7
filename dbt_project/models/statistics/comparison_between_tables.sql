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
    'reports_and_requests': 'checks_answered',
} -%}
{#- A figure, and another one (or its own parts) that comes to the same: the whole, the parts, of which the row is. -#}
{%- set same_total = {
    'persons_by_area_type': ('register_persons', 'register_persons_by_area_type', 'whole'),
    'requests_by_answer': ('check_requests', 'checks_by_answer', 'whole'),
    'alerts_by_level_and_side': ('alerts_standing', 'alerts_by_level', 'whole'),
    'children_by_risk_and_state': ('children_of_concern', 'children_by_risk', 'whole'),
    'rule_layers_and_households': ('resident_households', 'households_by_rule', 'parts'),
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
    where {{ since_rebuild('month') }} and numerator is null and layer = 'all' and dimension = 'all'
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month') }}
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
    where member.is_counted_here and {{ since_rebuild('member.month') }}
),

household as (
    select
        household.month,
        household.household_id,
        place.village_code
    from {{ ref('household_month') }} as household
    inner join place on coalesce(household.village_code, '') = place.told_code
    where {{ since_rebuild('household.month') }}
),

-- Where everybody lives.
lived as (
    select
        member.month,
        member.person_key,
        household.village_code
    from {{ ref('household_member_month') }} as member
    inner join household on member.month = household.month and member.household_id = household.household_id
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
    where {{ since_rebuild('month') }}
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
    where payment.is_paid and {{ since_rebuild('payment.known_month') }}
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
    where {{ since_rebuild('certificate.month') }}
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
        coalesce(lived.village_code, nowhere.village_code) as village_code,
        count(*) as right_value
    from {{ ref('person_temporary_assistance') }} as granted
    cross join nowhere
    left join lived on granted.known_month = lived.month and granted.person_key = lived.person_key
    where {{ since_rebuild('granted.known_month') }}
    group by granted.known_month, coalesce(lived.village_code, nowhere.village_code)
    union all
    select
        'grants_and_payments' as check_id,
        month,
        village_code,
        sum(paid_yuan) as right_value
    from {{ ref('paid_person_month') }}
    where benefit = 'LS' and {{ since_rebuild('month') }}
    group by month, village_code
    union all
    select
        'listed_and_list' as check_id,
        list.month,
        place.village_code,
        count(*) as right_value
    from {{ ref('alert_list') }} as list
    inner join place on coalesce(list.village_code, '') = place.told_code
    where {{ since_rebuild('list.month') }}
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
    where {{ since_rebuild('visit.known_month') }}
    group by visit.known_month, coalesce(household.village_code, nowhere.village_code)
    union all
    select
        'requests_and_rows' as check_id,
        request.month,
        coalesce(lived.village_code, nowhere.village_code) as village_code,
        count(distinct request.request_no) as right_value
    from (
        select
            request_no,
            applicant_key,
            min(known_month) over (partition by request_no) as month
        from {{ ref('person_check_request') }}
    ) as request
    cross join nowhere
    left join lived on request.month = lived.month and request.applicant_key = lived.person_key
    where {{ since_rebuild('request.month') }}
    group by request.month, coalesce(lived.village_code, nowhere.village_code)
    union all
    select
        'reports_and_requests' as check_id,
        month,
        village_code,
        count(*) as right_value
    from (
        select
            request.month,
            request.is_answered,
            coalesce(lived.village_code, nowhere.village_code) as village_code,
            row_number() over (partition by request.request_no order by request.month) as telling
        from {{ ref('check_request') }} as request
        cross join nowhere
        left join lived on request.month = lived.month and request.applicant_key = lived.person_key
    ) as told_first
    where telling = 1 and is_answered and {{ since_rebuild('month') }}
    group by month, village_code
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
        where
            {{ since_rebuild('month') }}
            and is_household
            and layer in {{ register_benefit_layers() }}
            and monthly_amount_yuan > 0
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
            coalesce(lived.village_code, nowhere.village_code) as village_code,
            count(distinct payment.person_key) as paid,
            0 as missing
        from {{ ref('person_payment') }} as payment
        cross join nowhere
        left join lived on payment.benefit_month = lived.month and payment.person_key = lived.person_key
        where
            {{ since_rebuild('payment.benefit_month') }}
            and payment.benefit in {{ register_benefits() }}
            and payment.known_month <= payment.benefit_month
            and payment.is_paid
            and payment.amount_yuan > 0
        group by payment.benefit_month, coalesce(lived.village_code, nowhere.village_code)
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
    where {{ since_rebuild('month') }} and indicator = 'X08'
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
    {%- for check, (whole, parts, told) in same_total.items() %}
    {%- set other = 'parts' if told == 'whole' else 'whole' %}
    select
        '{{ check }}' as check_id,
        {{ told }}.figure,
        {{ told }}.month,
        {{ told }}.area_level,
        {{ told }}.area_code,
        {{ told }}.value as left_value,
        {{ other }}.value as right_value
    from total as whole
    inner join total as parts
        on
            parts.figure = '{{ parts }}'
            and whole.month = parts.month
            and whole.area_level = parts.area_level
            and whole.area_code = parts.area_code
    where whole.figure = '{{ whole }}' and whole.area_level <> 'village'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
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
