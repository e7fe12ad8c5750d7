with
score as (
    select * from {{ source('reference', 'household_score') }}
),

household as (
    select * from {{ ref('household_month') }}
    -- The model looks for those nobody helps yet.
    where assistance_layer = 'none'
),

village as (
    select
        township_code,
        count(*) as village_count
    from {{ source('reference', 'division') }}
    where level = 'village'
    group by township_code
),

township as (
    select
        month,
        township_code,
        count(*) as household_count
    from {{ ref('household_month') }}
    where counted_member_count > 0
    group by month, township_code
),

worker as (
    {{ policy_parameter('village_worker_count') }}
),

visits as (
    {{ policy_parameter('visit_capacity') }}
),

-- The model may fill no more than a share of the visits, nor name more than a share of the households.
capacity_share as (
    {{ policy_parameter('n30_capacity_ratio') }}
),

household_share as (
    {{ policy_parameter('n30_household_ratio') }}
),

band as (
    {{ policy_parameter('n30_score_band') }}
),

candidate as (
    select
        household.month,
        household.household_id,
        household.reference_person_key as person_key,
        coalesce(score.probability, score.score) as value,
        score.rank_in_township,
        least(
            ceil(village.village_count * worker.value * visits.value * capacity_share.value),
            ceil(township.household_count * household_share.value)
        ) as threshold,
        case
            when score.basis = 'model' and score.probability >= orange.value then 'orange'
            when score.basis = 'model' and score.probability >= yellow.value then 'yellow'
        end as level
    from score
    inner join household on score.month = household.month and score.household_id = household.household_id
    inner join village on household.township_code = village.township_code
    inner join township on household.month = township.month and household.township_code = township.township_code
    inner join worker on household.month = worker.month and household.county_code = worker.county_code
    inner join visits on household.month = visits.month and household.county_code = visits.county_code
    inner join capacity_share
        on household.month = capacity_share.month and household.county_code = capacity_share.county_code
    inner join household_share
        on household.month = household_share.month and household.county_code = household_share.county_code
    left join band as orange
        on
            household.month = orange.month
            and household.county_code = orange.county_code
            and orange.dimension_key = 'orange'
    left join band as yellow
        on
            household.month = yellow.month
            and household.county_code = yellow.county_code
            and yellow.dimension_key = 'yellow'
),

final as (
    select
        month,
        'N30' as indicator,
        household_id,
        person_key,
        level,
        value,
        threshold,
        {{ no_evidence() }} as evidence
    from candidate
    where rank_in_township <= threshold
)

select * from final
