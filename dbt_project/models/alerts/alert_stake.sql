with
reason as (
    select * from {{ ref('alert_reason') }}
    where {{ since_rebuild('month') }}
),

household as (
    select * from {{ ref('household_month') }}
),

entitlement as (
    select * from {{ ref('alert_entitlement') }}
),

aid as (
    select * from {{ ref('household_month_aid') }}
),

score as (
    select * from {{ source('reference', 'household_score') }}
),

confirmation as (
    {{ policy_parameter('confirmation_ratio') }}
),

least as (
    {{ policy_parameter('least_benefit') }}
),

-- One programme, the one worth most, and every benefit.
missed as (
    select
        alert_id,
        month,
        coalesce(max(case when kind = 'programme' then amount_yuan end), 0)
        + coalesce(sum(case when kind <> 'programme' then amount_yuan end), 0) as amount_yuan
    from entitlement
    group by alert_id, month
),

chance as (
    select
        reason.alert_id,
        reason.month,
        reason.side,
        reason.household_id,
        household.county_code,
        min(reason.alert_first_month) as first_month,
        max(
            case
                when reason.indicator = 'N30' then coalesce(score.probability, cast(confirmation.value as double))
                else cast(confirmation.value as double)
            end
        ) as chance_ratio
    from reason
    inner join household on reason.month = household.month and reason.household_id = household.household_id
    left join confirmation
        on
            household.month = confirmation.month
            and household.county_code = confirmation.county_code
            and reason.indicator = confirmation.dimension_key
    left join score on reason.month = score.month and reason.household_id = score.household_id
    group by reason.alert_id, reason.month, reason.side, reason.household_id, household.county_code
),

at_stake as (
    select
        chance.*,
        case
            when chance.side = 'need' then missed.amount_yuan
            -- What goes out in a month to a household that may have to leave.
            else aid.paid_yuan - aid.temporary_paid_yuan - aid.price_subsidy_paid_yuan
        end as amount_yuan
    from chance
    left join missed on chance.alert_id = missed.alert_id and chance.month = missed.month
    left join aid on chance.month = aid.month and chance.household_id = aid.household_id
),

final as (
    select
        at_stake.alert_id,
        at_stake.month,
        {{ yuan('coalesce(at_stake.amount_yuan, 0)') }} as amount_yuan,
        coalesce(at_stake.chance_ratio, 0) as chance_ratio,
        cast({{ months_between('at_stake.first_month', 'at_stake.month') }} + 1 as integer) as month_count,
        {{ yuan(expected_benefit(
            'at_stake.amount_yuan',
            'least.value',
            'coalesce(at_stake.chance_ratio, 0)',
            '(' ~ months_between('at_stake.first_month', 'at_stake.month') ~ ' + 1)'
        )) }} as expected_benefit_yuan
    from at_stake
    inner join least on at_stake.month = least.month and at_stake.county_code = least.county_code
)

select * from final
