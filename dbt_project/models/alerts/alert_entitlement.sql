with
alert as (
    select distinct
        alert_id,
        month,
        household_id
    from {{ ref('alert_reason') }}
    where side = 'need' and {{ since_rebuild('month') }}
),

reason as (
    select * from {{ ref('alert_reason') }}
    where side = 'need' and {{ since_rebuild('month') }}
),

household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month') }}
),

assistance as (
    select * from {{ source('reference', 'assistance') }}
),

thought_of as (
    select * from {{ source('reference', 'assistance_reason') }}
),

interval_months as (
    {{ policy_parameter('temporary_assistance_months') }}
),

to_verify as (
    select
        assistance,
        {{ ordered_list('verify', 'sort_order') }} as to_verify
    from {{ source('reference', 'assistance_verify') }}
    group by assistance
),

member as (
    select
        month,
        household_id,
        person_key
    from {{ ref('household_member_month') }}
    where {{ since_rebuild('month') }}
),

-- Temporary assistance of the months before, to anybody of the household.
recently_helped as (
    select distinct
        household.month,
        household.household_id
    from household
    inner join interval_months
        on household.month = interval_months.month and household.county_code = interval_months.county_code
    inner join member on household.month = member.month and household.household_id = member.household_id
    inner join {{ ref('person_temporary_assistance') }} as given
        on
            member.person_key = given.person_key
            and household.month >= given.known_month
            and {{ months_between('given.approved_on', 'household.month') }} < interval_months.value
),

-- Case by case aid: which reasons let one think of it.
aid as (
    select
        reason.month,
        reason.household_id,
        thought_of.assistance,
        min(case when thought_of.assistance = 'temporary_assistance' then interval_months.value end) as months
    from reason
    inner join thought_of on reason.indicator = thought_of.indicator
    inner join household on reason.month = household.month and reason.household_id = household.household_id
    inner join interval_months
        on household.month = interval_months.month and household.county_code = interval_months.county_code
    left join recently_helped
        on reason.month = recently_helped.month and reason.household_id = recently_helped.household_id
    where thought_of.assistance <> 'temporary_assistance' or recently_helped.household_id is null
    group by reason.month, reason.household_id, thought_of.assistance
),

candidate as (
    select
        month,
        household_id,
        person_key,
        assistance,
        amount_yuan,
        conditions,
        case when is_dibao_first then 'dibao_first' end as also_verify
    from {{ ref('entitlement_benefit') }}
    union all
    select
        month,
        household_id,
        person_key,
        assistance,
        amount_yuan,
        conditions,
        case when is_source_missing then 'missing_source' end as also_verify
    from {{ ref('entitlement_programme') }}
    union all
    select
        month,
        household_id,
        cast(null as string) as person_key,
        assistance,
        cast(null as decimal(14, 2)) as amount_yuan,
        case assistance
            when 'temporary_assistance'
                then
                    {{ list_of([condition('sudden_hardship'), condition('no_recent_temporary_assistance', 'months')]) }}
            when 'medical_aid' then {{ list_of([condition('medical_spending')]) }}
            else {{ list_of([condition('school_hardship')]) }}
        end as conditions,
        cast(null as string) as also_verify
    from aid
),

final as (
    select
        alert.alert_id,
        alert.month,
        alert.household_id,
        candidate.assistance,
        assistance.kind,
        case when household.area_type = 'rural' then assistance.rural_code else assistance.urban_code end as code,
        candidate.person_key,
        candidate.amount_yuan,
        assistance.paid,
        candidate.conditions,
        {{ list_with('to_verify.to_verify', 'candidate.also_verify', 'candidate.also_verify is not null') }}
            as to_verify,
        cast(assistance.sort_order as integer) as sort_order
    from candidate
    inner join alert on candidate.month = alert.month and candidate.household_id = alert.household_id
    inner join household on alert.month = household.month and alert.household_id = household.household_id
    inner join assistance on candidate.assistance = assistance.assistance
    inner join to_verify on candidate.assistance = to_verify.assistance
)

select * from final
