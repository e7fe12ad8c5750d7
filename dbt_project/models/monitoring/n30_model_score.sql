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

-- Of what the model may propose, so much is drawn by chance: how else would anybody learn whom it passes over?
exploration as (
    {{ policy_parameter('n30_exploration_ratio') }}
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
        household.township_code,
        exploration.value as exploration_share,
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
    inner join exploration
        on household.month = exploration.month and household.county_code = exploration.county_code
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

-- How many of them in this month: a share of a visit is a visit in so many months, so small townships take part too.
place as (
    select
        *,
        cast(floor(threshold * exploration_share) as integer) as sure_count,
        cast(threshold * exploration_share as double) - floor(threshold * exploration_share) as more_ratio,
        cast(floor(threshold * exploration_share) as integer)
        + case
            when
                {{ draw_number(['month', 'township_code']) }}
                < cast(threshold * exploration_share as double) - floor(threshold * exploration_share)
                then 1
            else 0
        end as drawn_count,
        count(*) over (partition by month, township_code) as stratum_count
    from candidate
),

-- Who is drawn, letters decide that have nothing to do with need: the same in every run, another order every month.
chosen as (
    select
        *,
        case
            when rank_in_township <= threshold - drawn_count then 'ranked'
            when
                row_number() over (
                    partition by month, township_code, rank_in_township <= threshold - drawn_count
                    order by {{ letters_key(['month', 'household_id']) }}, household_id
                ) <= drawn_count
                then 'random'
        end as selection_arm
    from place
),

-- By rank with certainty or in some months, by chance among those behind: both ways to the list together.
probable as (
    select
        *,
        (1 - more_ratio) * case
            when rank_in_township <= threshold - sure_count then 1
            else sure_count / greatest(cast(1 as double), stratum_count - threshold + sure_count)
        end
        + more_ratio * case
            when rank_in_township <= threshold - sure_count - 1 then 1
            else (sure_count + 1) / greatest(cast(1 as double), stratum_count - threshold + sure_count + 1)
        end as probability
    from chosen
    where selection_arm is not null
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
        {{ no_evidence() }} as evidence,
        selection_arm,
        cast(least(1, round(probability, 9)) as double) as selection_probability
    from probable
)

select * from final
