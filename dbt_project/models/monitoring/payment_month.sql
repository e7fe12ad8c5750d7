with
payment as (
    select * from {{ ref('person_payment') }}
    where is_paid
),

run as (
    select
        min(month) as first_month,
        max(month) as last_month
    from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('benefit_member_month') }}
),

certificate as (
    select
        month,
        certificate_no,
        -- A row set aside makes a family no smaller; one person alone may be of a family not on the certificate.
        case
            when member_count = 1 then 1
            else greatest(member_count, coalesce(household_size, member_count))
        end as head_count
    from {{ ref('benefit_household_month') }}
),

household_benefit as (
    select distinct benefit from {{ source('reference', 'benefit') }}
    where paid_to = 'household'
),

told as (
    select
        person_key,
        benefit,
        benefit_month,
        known_month,
        sum(amount_yuan) as net_yuan,
        sum(case when amount_yuan > 0 then amount_yuan else 0 end) as paid_yuan,
        sum(case when amount_yuan > 0 then 1 else 0 end) as paid_count
    from payment
    group by person_key, benefit, benefit_month, known_month
),

-- How much of it was still there, month by month as the news came.
kept as (
    select
        *,
        sum(net_yuan) over (partition by person_key, benefit, benefit_month order by known_month) as kept_yuan,
        row_number() over (partition by person_key, benefit, benefit_month order by known_month) as position
    from told
    where paid_yuan > 0 or net_yuan < 0
),

booked as (
    select
        person_key,
        benefit,
        benefit_month,
        min(case when paid_count > 0 then known_month end) as known_month,
        max(case when position = 1 then paid_yuan end) as first_yuan,
        coalesce(min(case when kept_yuan <= 0 then known_month end), date '9999-12-31') as void_month
    from kept
    group by person_key, benefit, benefit_month
    having sum(paid_count) > 0
),

-- The register of the month; for money of before the first or after the last register that one must do.
placed as (
    select
        booked.*,
        least(greatest(booked.benefit_month, run.first_month), run.last_month) as register_month
    from booked
    cross join run
),

certified as (
    select
        placed.person_key,
        placed.benefit,
        placed.benefit_month,
        member.certificate_no
    from placed
    inner join member on placed.register_month = member.month and placed.person_key = member.person_key
    qualify
        row_number() over (
            partition by placed.person_key, placed.benefit, placed.benefit_month
            order by
                (member.layer = case when placed.benefit in ('TK', 'HL') then 'destitute' else 'dibao' end) desc,
                member.is_applicant desc,
                member.is_counted_here desc,
                member.certificate_no
        ) = 1
),

final as (
    select
        placed.person_key,
        placed.benefit,
        placed.benefit_month,
        placed.register_month,
        certified.certificate_no,
        household_benefit.benefit is not null as is_household_benefit,
        cast(
            case when household_benefit.benefit is not null then coalesce(certificate.head_count, 1) else 1 end
            as integer
        ) as head_count,
        {{ yuan('placed.first_yuan') }} as first_yuan,
        placed.known_month,
        placed.void_month
    from placed
    left join household_benefit on placed.benefit = household_benefit.benefit
    left join certified
        on
            placed.person_key = certified.person_key
            and placed.benefit = certified.benefit
            and placed.benefit_month = certified.benefit_month
    left join certificate
        on placed.register_month = certificate.month and certified.certificate_no = certificate.certificate_no
)

select * from final
