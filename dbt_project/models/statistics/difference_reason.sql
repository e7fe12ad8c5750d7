with
register_payment as (
    select * from {{ ref('register_payment_difference') }}
    where {{ since_rebuild('month') }} and reason is not null
),

certificate as (
    select * from {{ ref('register_household_month') }}
    where {{ since_rebuild('month') }}
),

hit as (
    select
        month,
        household_id
    from {{ ref('indicator_hit') }}
    where {{ since_rebuild('month') }} and indicator = 'X08'
),

visit as (
    select * from {{ ref('visit_month') }}
    where {{ since_rebuild('month') }}
),

alert as (
    select * from {{ ref('alert_stand_month') }}
    where {{ since_rebuild('month') }}
),

granted as (
    select * from {{ ref('assistance_grant_month') }}
    where {{ since_rebuild('month', windows=['payment_grace_months']) }}
),

payment as (
    select * from {{ ref('paid_person_month') }}
    where {{ since_rebuild('month') }} and benefit = 'LS'
),

month as (
    select * from {{ ref('run_month') }}
),

feed_month as (
    select * from {{ ref('feed_month') }}
    where {{ since_rebuild('month') }}
),

grace as (
    {{ policy_parameter('payment_grace_months') }}
),

-- More certificates with an amount than paid, each of them with its reason; likewise persons paid and not registered.
of_register_payment as (
    select
        check_id,
        month,
        village_code,
        reason,
        cast(1 as decimal(18, 4)) as value
    from register_payment
),

of_certificate as (
    select
        'households_and_certificates' as check_id,
        month,
        village_code,
        'counted_elsewhere' as reason,
        cast(-1 as decimal(18, 4)) as value
    from certificate
    where not is_household
),

-- X08 looks at households: of several overdue certificates of one it stands once.
overdue as (
    select
        certificate.month,
        certificate.household_id,
        sum(case when certificate.is_review_overdue then 1 else 0 end) as overdue_count
    from certificate
    inner join hit on certificate.month = hit.month and certificate.household_id = hit.household_id
    group by certificate.month, certificate.household_id
),

of_review as (
    select
        'overdue_reviews_and_hits' as check_id,
        month,
        cast(null as string) as village_code,
        case when overdue_count = 0 then 'counted_elsewhere' else 'several_certificates' end as reason,
        cast(overdue_count - 1 as decimal(18, 4)) as value
    from overdue
    where overdue_count <> 1
),

ranked_visit as (
    select
        visit.month,
        visit.village_code,
        visit.household_id,
        alert.alert_id,
        row_number() over (
            partition by visit.month, alert.alert_id order by visit.visited_on, visit.visit_no
        ) as visit_number
    from visit
    left join alert
        on visit.month = alert.month and visit.household_id = alert.household_id and visit.side = alert.side
),

of_visit as (
    select
        'answered_and_visits' as check_id,
        month,
        village_code,
        case
            when household_id is null then 'visit_without_household'
            when alert_id is null then 'visit_without_alert'
            else 'second_visit'
        end as reason,
        cast(-1 as decimal(18, 4)) as value
    from ranked_visit
    where alert_id is null or visit_number > 1
),

-- Grants and payments of a person in a month, side by side.
assisted as (
    select
        coalesce(granted_sum.month, payment.month) as month,
        coalesce(granted_sum.village_code, payment.village_code) as village_code,
        coalesce(granted_sum.person_key, payment.person_key) as person_key,
        coalesce(granted_sum.amount_yuan, 0) as granted_yuan,
        coalesce(payment.paid_yuan, 0) as paid_yuan,
        coalesce(payment.returned_yuan, 0) as returned_yuan
    from (
        select
            month,
            person_key,
            min(village_code) as village_code,
            sum(amount_yuan) as amount_yuan
        from granted
        group by month, person_key
    ) as granted_sum
    full outer join payment on granted_sum.month = payment.month and granted_sum.person_key = payment.person_key
),

assisted_before as (
    select
        assisted.month,
        assisted.person_key,
        sum(earlier.amount_yuan) as granted_before_yuan
    from assisted
    inner join granted as earlier
        on
            assisted.person_key = earlier.person_key
            and assisted.month > earlier.month
    inner join grace
        on
            assisted.month = grace.month
            and {{ area_on('county', 'assisted.village_code') }} = grace.county_code
            and {{ months_between('earlier.month', 'assisted.month') }} <= grace.value
    group by assisted.month, assisted.person_key
),

-- Where a county's file did not come in; the place of nobody in particular belongs to any of them.
missing_feed as (
    select
        month,
        feed,
        county_code
    from feed_month
    where not is_arrived and feed in ('assistance_payment', 'temporary_assistance')
),

of_assistance as (
    select
        'grants_and_payments' as check_id,
        assisted.month,
        assisted.village_code,
        case
            when assisted.paid_yuan = 0 and payment_missing.month is not null then 'payment_file_missing'
            when assisted.granted_yuan = 0 and grant_missing.month is not null then 'grant_file_missing'
            when assisted.granted_yuan - assisted.paid_yuan = assisted.returned_yuan then 'payment_returned'
            when assisted.paid_yuan = 0 then 'grant_not_paid_yet'
            when assisted.paid_yuan - assisted.granted_yuan = assisted_before.granted_before_yuan
                then 'grant_paid_later'
        end as reason,
        cast(assisted.granted_yuan - assisted.paid_yuan as decimal(18, 4)) as value
    from assisted
    left join assisted_before
        on assisted.month = assisted_before.month and assisted.person_key = assisted_before.person_key
    left join missing_feed as payment_missing
        on
            assisted.month = payment_missing.month
            and payment_missing.feed = 'assistance_payment'
            and {{ area_on('county', 'assisted.village_code') }} = payment_missing.county_code
    left join missing_feed as grant_missing
        on
            assisted.month = grant_missing.month
            and grant_missing.feed = 'temporary_assistance'
            and {{ area_on('county', 'assisted.village_code') }} = grant_missing.county_code
    where assisted.granted_yuan <> assisted.paid_yuan
),

-- Who is on the register of old people and need not be visited, with the reason that monitoring gives.
of_elder as (
    select
        'elders_and_register' as check_id,
        month,
        cast(null as string) as village_code,
        'elder_gone' as reason,
        cast(-1 as decimal(18, 4)) as value
    from {{ ref('elder_visit_month') }}
    where {{ since_rebuild('month') }} and is_registered and not is_visit_due and not_due_reason is not null
),

-- What is compared for the whole city alone.
of_city as (
    select * from of_review
    union all
    select * from of_elder
),

told as (
    select * from of_register_payment
    union all
    select * from of_certificate
    union all
    select * from of_visit
    union all
    select * from of_assistance
    where reason is not null
),

city as (
    select min({{ area_on('city', 'code') }}) as area_code
    from {{ source('reference', 'division') }}
    where level = 'city'
),

upwards as (
    {{ summed_upwards('told', ['check_id', 'month', 'reason'], ['value']) }}
    union all
    select
        of_city.check_id,
        of_city.month,
        of_city.reason,
        'city' as area_level,
        city.area_code,
        sum(of_city.value) as value
    from of_city
    cross join city
    group by of_city.check_id, of_city.month, of_city.reason, city.area_code
),

final as (
    select
        upwards.check_id,
        upwards.month,
        upwards.area_level,
        upwards.area_code,
        upwards.reason,
        cast(upwards.value as decimal(18, 4)) as value
    from upwards
    inner join month on upwards.month = month.month
)

select * from final
