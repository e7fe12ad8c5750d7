with
delivered as (
    select * from {{ ref('stg_market_regulation__business_register') }}
    where {{ open_since_rebuild('business_register') }}
),

contribution as (
    select
        person_key,
        employer_uscc,
        contribution_month,
        valid_from as told_month
    from {{ ref('stg_human_resources__social_insurance') }}
    where
        status = '1'
        and employer_uscc is not null
        and valid_from > {{ add_months(first_open_since_rebuild('business_register'), -3) }}
),

business as (
    select * from delivered
    -- Parts of districts may overlap; within a month a key stands once.
    qualify
        row_number() over (
            partition by uscc, valid_from
            order by delivery_id, row_number desc
        ) = 1
),

-- The register does not say how many work there; those for whom the business pays contributions do, in the best of the
-- months told in the quarter up to the register's own. What is told later says nothing of what was known then.
staff as (
    select
        business.uscc,
        business.valid_from,
        contribution.contribution_month,
        count(distinct contribution.person_key) as person_count
    from business
    inner join contribution
        on
            business.uscc = contribution.employer_uscc
            and business.person_key <> contribution.person_key
            and {{ add_months('business.valid_from', -3) }} < contribution.told_month
            and business.valid_from >= contribution.told_month
    group by business.uscc, business.valid_from, contribution.contribution_month
),

highest_staff as (
    select
        uscc,
        valid_from,
        max(person_count) as employee_count
    from staff
    group by uscc, valid_from
),

final as (
    select
        business.uscc,
        business.person_key,
        business.business_type,
        business.registered_capital as registered_capital_yuan,
        business.founded_on,
        business.status,
        -- One on the list of abnormal operations (4) still runs.
        business.status in ('1', '4') as is_running,
        cast(coalesce(highest_staff.employee_count, 0) as integer) as employee_count,
        business.valid_from,
        business.valid_to,
        business.delivery_id,
        business.row_number
    from business
    left join highest_staff
        on
            business.uscc = highest_staff.uscc
            and business.valid_from = highest_staff.valid_from
)

select * from final
