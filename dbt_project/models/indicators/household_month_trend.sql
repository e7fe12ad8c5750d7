with
household as (
    select * from {{ ref('household_month') }}
    where counted_member_count > 0 and {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

income as (
    select * from {{ ref('household_month_income') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

spending as (
    select * from {{ ref('household_month_spending') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

composition as (
    select * from {{ ref('household_month_composition') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

means as (
    select * from {{ ref('household_month_means') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

occurrence as (
    select * from {{ ref('household_month_occurrence') }}
    where {{ since_rebuild('month', back=2, windows=['household_history_months']) }}
),

run as (
    select min(month) as first_month from {{ ref('run_month') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

marginal_line as (
    {{ policy_parameter('marginal_line') }}
),

-- What the sources did not tell is missing, not nought.
monthly as (
    select
        household.month,
        {{ month_number('household.month') }} as month_number,
        household.household_id,
        household.counted_member_count as member_count,
        cast(standard.value as double) as standard_yuan,
        case when income.is_complete then cast(income.income_yuan * 100 as decimal(18, 0)) end as income_fen,
        case
            when income.is_complete and income.income_pc_yuan < standard.value then 1
            when income.is_complete then 0
        end as is_below_standard,
        case
            when income.is_complete and income.income_pc_yuan < marginal_line.value then 1
            when income.is_complete then 0
        end as is_below_marginal,
        case when income.is_complete then income.earner_count end as earner_count,
        composition.contributing_count,
        cast(spending.out_of_pocket_yuan as decimal(18, 2)) as out_of_pocket_yuan,
        occurrence.inpatient_count,
        occurrence.divorce_count,
        case when means.is_property_complete then means.is_within_property_limit end as is_within_limit,
        case
            when means.is_property_complete then means.home_count + means.car_count + means.business_count
        end as property_count
    from household
    left join income
        on
            household.month = income.month
            and household.household_id = income.household_id
    left join spending
        on
            household.month = spending.month
            and household.household_id = spending.household_id
    left join composition
        on
            household.month = composition.month
            and household.household_id = composition.household_id
    left join means
        on
            household.month = means.month
            and household.household_id = means.household_id
    left join occurrence
        on
            household.month = occurrence.month
            and household.household_id = occurrence.household_id
    left join standard
        on
            household.month = standard.month
            and household.county_code = standard.county_code
            and household.area_type = standard.dimension_key
    left join marginal_line
        on
            household.month = marginal_line.month
            and household.county_code = marginal_line.county_code
            and household.area_type = marginal_line.dimension_key
),

compared as (
    select
        *,
        lag(member_count) over in_order as member_count_before,
        lag(earner_count) over in_order as earner_count_before,
        lag(contributing_count) over in_order as contributing_count_before
    from monthly
    window in_order as (partition by household_id order by month_number)
),

-- All windows end with the row's own month: nothing later is ever looked at.
windowed as (
    select
        *,
        sum(income_fen) over last_3 as income_3m_fen,
        count(income_fen) over last_3 as income_3m_count,
        sum(income_fen) over year_back as income_12m_fen,
        count(income_fen) over year_back as income_12m_count,
        -- In whole fen: what the spread of doubles comes to depends on where a window begins.
        sum(income_fen * income_fen) over year_back as income_12m_square_fen,
        sum(is_below_standard) over year_back as below_standard_12m_count,
        sum(is_below_marginal) over year_back as below_marginal_12m_count,
        max(earner_count) over year_back as earner_highest_count,
        max(contributing_count) over year_back as contributing_highest_count,
        max(property_count) over year_back as property_highest_count,
        sum(out_of_pocket_yuan) over last_3 as out_of_pocket_3m_yuan,
        sum(out_of_pocket_yuan) over year_back as out_of_pocket_12m_yuan,
        count(out_of_pocket_yuan) over last_3 as spending_3m_count,
        count(out_of_pocket_yuan) over year_back as spending_12m_count,
        sum(inpatient_count) over last_3 as inpatient_3m_count,
        first_value(member_count) over year_back as member_before_count,
        min(month_number) over so_far as first_number,
        max(case when member_count <> member_count_before then month_number end) over so_far as newest_member_change,
        max(case when earner_count < earner_count_before then month_number end) over so_far as newest_earner_lost,
        max(
            case when contributing_count < contributing_count_before then month_number end
        ) over so_far as newest_contributor_lost,
        max(case when divorce_count > 0 then month_number end) over so_far as newest_divorce,
        max(case when not is_within_limit then month_number end) over so_far as newest_over_limit
    from compared
    window
        last_3 as (partition by household_id order by month_number range between 2 preceding and current row),
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('household_history_months') }} preceding and current row
        ),
        so_far as (partition by household_id order by month_number rows unbounded preceding)
),

told_before as (
    {{ last_told_before({
        'first': 'months_known_count',
        'member_change': 'months_since_member_change',
        'earner_lost': 'months_since_earner_lost',
        'contributor_lost': 'months_since_contributor_lost',
        'divorce': 'months_since_divorce',
        'over_limit': 'months_since_over_limit',
    }) }}
),

known as (
    select
        windowed.*,
        cast(windowed.income_12m_fen as double) / nullif(windowed.income_12m_count, 0) / 100 as income_12m_mean_yuan,
        sqrt(
            cast(
                windowed.income_12m_count * windowed.income_12m_square_fen
                - windowed.income_12m_fen * windowed.income_12m_fen as double
            )
            / nullif(windowed.income_12m_count * (windowed.income_12m_count - 1), 0)
        ) / 100 as income_12m_spread_yuan,
        coalesce(told_before.last_first, windowed.first_number) as known_since,
        greatest(windowed.newest_member_change, told_before.last_member_change) as last_member_change,
        greatest(windowed.newest_earner_lost, told_before.last_earner_lost) as last_earner_lost,
        greatest(windowed.newest_contributor_lost, told_before.last_contributor_lost) as last_contributor_lost,
        greatest(windowed.newest_divorce, told_before.last_divorce) as last_divorce,
        greatest(windowed.newest_over_limit, told_before.last_over_limit) as last_over_limit
    from windowed
    left join told_before
        on windowed.household_id = told_before.household_id
),

final as (
    select
        known.month,
        known.household_id,
        known.income_12m_mean_yuan / known.standard_yuan / known.member_count as income_12m_standard_ratio,
        -- One standard a head is added to both: a fall to nothing stays a number.
        (
            cast(known.income_3m_fen as double) / nullif(known.income_3m_count, 0) / 100
            + known.standard_yuan * known.member_count
        ) / (known.income_12m_mean_yuan + known.standard_yuan * known.member_count) as income_3m_12m_ratio,
        known.income_12m_spread_yuan / (known.standard_yuan * known.member_count) as income_spread_standard_ratio,
        cast(known.below_standard_12m_count as integer) as below_standard_12m_count,
        cast(known.below_marginal_12m_count as integer) as below_marginal_12m_count,
        cast(known.earner_highest_count - known.earner_count as integer) as earner_lost_12m_count,
        cast(known.contributing_highest_count - known.contributing_count as integer) as contributor_lost_12m_count,
        cast(known.property_highest_count - known.property_count as integer) as property_lost_12m_count,
        case when known.is_within_limit then 0 when not known.is_within_limit then 1 end as over_limit_count,
        (
            cast(known.out_of_pocket_3m_yuan as double) / nullif(known.spending_3m_count, 0)
            + known.standard_yuan
        ) / (
            cast(known.out_of_pocket_12m_yuan as double) / nullif(known.spending_12m_count, 0)
            + known.standard_yuan
        ) as medical_3m_12m_ratio,
        cast(known.inpatient_3m_count as integer) as inpatient_3m_count,
        cast(known.member_count - known.member_before_count as integer) as member_change_12m_count,
        cast(known.month_number - known.known_since as integer) as months_known_count,
        -- Formed while the city was watched, by marriage, divorce or moving in: not merely never seen before.
        case
            when known.known_since > {{ month_number('run.first_month') }} then known.month_number - known.known_since
        end as months_since_formed,
        cast(known.month_number - known.last_member_change as integer) as months_since_member_change,
        cast(known.month_number - known.last_earner_lost as integer) as months_since_earner_lost,
        cast(known.month_number - known.last_contributor_lost as integer) as months_since_contributor_lost,
        cast(known.month_number - known.last_divorce as integer) as months_since_divorce,
        cast(known.month_number - known.last_over_limit as integer) as months_since_over_limit
    from known
    cross join run
)

select * from final
