with
taxed as (
    select * from {{ ref('person_taxed_income') }}
),

contribution as (
    select * from {{ ref('person_contribution') }}
    -- Resident pension insurance (2) and contributions without an employer say nothing about a wage.
    where
        status = '1'
        and insurance <> '2'
        and employer_uscc is not null
),

pension as (
    select * from {{ ref('person_pension') }}
),

unemployment as (
    select * from {{ ref('person_unemployment') }}
    where
        is_unemployed
        and monthly_benefit_yuan > 0
),

month as (
    select * from {{ ref('run_month') }}
),

member as (
    select * from {{ ref('household_member_month') }}
),

place as (
    select * from {{ ref('household_month') }}
),

deduction as (
    {{ policy_parameter('work_cost_deduction_ratio') }}
),

declared as (
    select
        income_month as month,
        person_key,
        case income_type
            when '1' then 'wage'
            when '2' then 'labour_service'
            when '3' then 'business'
            when '4' then 'property'
            when '5' then 'property'
            else 'other'
        end as source,
        'income_tax' as feed,
        amount_yuan,
        delivery_id,
        row_number
    from taxed
),

-- Where the tax office knows of no wage, the contribution base stands for it; several insurances have one base.
insured as (
    select
        contribution.contribution_month as month,
        contribution.person_key,
        'wage' as source,
        'social_insurance' as feed,
        contribution.base_yuan as amount_yuan,
        contribution.delivery_id,
        contribution.row_number
    from contribution
    left join taxed
        on
            contribution.person_key = taxed.person_key
            and contribution.contribution_month = taxed.income_month
            and taxed.income_type = '1'
    where taxed.person_key is null
    qualify
        row_number() over (
            partition by contribution.person_key, contribution.contribution_month
            order by contribution.base_yuan desc, contribution.insurance
        ) = 1
),

retired as (
    select
        pension_month as month,
        person_key,
        'pension' as source,
        'pension_payment' as feed,
        amount_yuan,
        delivery_id,
        row_number
    from pension
),

jobless as (
    select
        month.month,
        unemployment.person_key,
        'unemployment_benefit' as source,
        'unemployment_register' as feed,
        unemployment.monthly_benefit_yuan as amount_yuan,
        unemployment.delivery_id,
        unemployment.row_number
    from unemployment
    inner join month
        on
            {{ in_force('month.month', 'unemployment') }}
            and unemployment.unemployed_on <= month.month_end
),

found as (
    select * from declared
    union all
    select * from insured
    union all
    select * from retired
    union all
    select * from jobless
),

summed as (
    select
        month,
        person_key,
        source,
        min(feed) as feed,
        source in ('wage', 'labour_service') as is_work,
        sum(amount_yuan) as gross_yuan,
        {{ value_at_max('delivery_id', 'amount_yuan') }} as delivery_id,
        {{ value_at_max('row_number', 'amount_yuan') }} as row_number
    from found
    group by month, person_key, source
),

final as (
    select
        summed.month,
        summed.person_key,
        member.household_id,
        summed.source,
        summed.feed,
        summed.is_work,
        {{ yuan('summed.gross_yuan') }} as gross_yuan,
        {{ yuan('case when summed.is_work then summed.gross_yuan * (1 - coalesce(deduction.value, 0)) '
            ~ 'else summed.gross_yuan end') }} as counted_yuan,
        summed.delivery_id,
        summed.row_number
    from summed
    inner join member
        on
            summed.month = member.month
            and summed.person_key = member.person_key
    inner join place
        on
            member.month = place.month
            and member.household_id = place.household_id
    left join deduction
        on
            place.month = deduction.month
            and place.county_code = deduction.county_code
)

select * from final
