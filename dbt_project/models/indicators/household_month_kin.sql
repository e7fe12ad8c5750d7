with
member as (
    select * from {{ ref('household_member_month') }}
    where is_counted and {{ since_rebuild('month') }}
),

child_parent as (
    select * from {{ ref('child_parent') }}
),

take_up as (
    select * from {{ ref('household_month_take_up') }}
    where {{ since_rebuild('month') }}
),

income as (
    select * from {{ ref('household_month_income') }}
    where {{ since_rebuild('month') }}
),

means as (
    select * from {{ ref('household_month_means') }}
    where {{ since_rebuild('month') }}
),

utility as (
    select * from {{ ref('household_month_utility') }}
    where {{ since_rebuild('month') }}
),

standard as (
    {{ policy_parameter('dibao_standard') }}
),

-- Parents and grown children who live apart: their households are kin, in both directions.
apart as (
    select
        child.month,
        child.household_id as child_household_id,
        parent.household_id as parent_household_id
    from child_parent
    inner join member as child
        on
            child_parent.child_key = child.person_key
            and child_parent.known_month <= child.month
    inner join member as parent
        on
            child_parent.parent_key = parent.person_key
            and child.month = parent.month
    where child.household_id <> parent.household_id
),

kin as (
    select
        month,
        child_household_id as household_id,
        parent_household_id as kin_household_id,
        0 as is_child
    from apart
    union all
    select
        month,
        parent_household_id as household_id,
        child_household_id as kin_household_id,
        1 as is_child
    from apart
),

kin_household as (
    select
        month,
        household_id,
        kin_household_id,
        max(is_child) as is_child
    from kin
    group by month, household_id, kin_household_id
),

final as (
    select
        kin_household.month,
        kin_household.household_id,
        cast(count(*) as integer) as kin_household_count,
        cast(sum(kin_household.is_child) as integer) as child_household_count,
        cast(sum(case when take_up.is_on_assistance then 1 else 0 end) as integer) as kin_assisted_count,
        cast(sum(case when take_up.entry_12m_count > 0 then 1 else 0 end) as integer) as kin_entry_12m_count,
        cast(
            sum(case when means.is_property_complete and not means.is_within_property_limit then 1 else 0 end)
            as integer
        ) as kin_over_limit_count,
        max(
            case
                when kin_household.is_child = 1
                    then
                        cast(income.income_3m_mean_yuan as double)
                        / (cast(standard.value as double) * nullif(income.counted_member_count, 0))
            end
        ) as child_income_standard_ratio,
        max(case when kin_household.is_child = 1 then utility.kwh_peer_12m_ratio end) as child_kwh_peer_ratio
    from kin_household
    inner join take_up
        on
            kin_household.month = take_up.month
            and kin_household.kin_household_id = take_up.household_id
    left join income
        on
            kin_household.month = income.month
            and kin_household.kin_household_id = income.household_id
    left join means
        on
            kin_household.month = means.month
            and kin_household.kin_household_id = means.household_id
    left join utility
        on
            kin_household.month = utility.month
            and kin_household.kin_household_id = utility.household_id
    left join standard
        on
            kin_household.month = standard.month
            and means.county_code = standard.county_code
            and means.area_type = standard.dimension_key
    group by kin_household.month, kin_household.household_id
)

select * from final
