with
household as (
    select * from {{ ref('household_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

month as (
    select * from {{ ref('run_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

member as (
    select * from {{ ref('household_member_month') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

patient as (
    select * from {{ ref('person_month_spending') }}
    where {{ since_rebuild('month', windows=['rigid_spending_window_months']) }}
),

school as (
    select * from {{ ref('person_school') }}
    where
        status = '1'
        and annual_tuition_yuan > 0
),

disaster as (
    select * from {{ ref('person_disaster') }}
    where loss_yuan is not null
),

source as (
    select * from {{ ref('source_month') }}
    where feed = 'medical_settlement'
),

medical as (
    select
        month,
        household_id,
        sum(out_of_pocket_yuan) as out_of_pocket_yuan,
        sum(out_of_pocket_12m_yuan) as out_of_pocket_12m_yuan,
        max(highest_stay_out_of_pocket_yuan) as highest_stay_yuan,
        {{ value_at_max(
            'person_key', "lpad(cast(greatest(out_of_pocket_12m_yuan, 0) as string), 20, '0') || person_key"
        ) }} as top_spender_key,
        max(out_of_pocket_12m_yuan) as top_spender_12m_yuan
    from patient
    group by month, household_id
),

pupil as (
    select
        month.month,
        school.person_key,
        school.annual_tuition_yuan
    from school
    inner join month
        on {{ in_force('month.month', 'school') }}
),

tuition as (
    select
        member.month,
        member.household_id,
        sum(pupil.annual_tuition_yuan) as annual_tuition_yuan
    from pupil
    inner join member
        on
            pupil.month = member.month
            and pupil.person_key = member.person_key
    where member.is_counted
    group by member.month, member.household_id
),

-- A loss counts in the month it became known; one report names one household through its head.
loss as (
    select
        member.month,
        member.household_id,
        sum(disaster.loss_yuan) as loss_yuan
    from disaster
    inner join member
        on
            disaster.known_month = member.month
            and disaster.person_key = member.person_key
    group by member.month, member.household_id
),

observed as (
    select
        month.month,
        source.county_code,
        cast(count(*) filter (where source.is_covered) as integer) as observed_12m_count
    from month
    inner join source
        on
            month.month >= source.month
            and month.month < {{ add_months('source.month', months_of_window('rigid_spending_window_months')) }}
    group by month.month, source.county_code
),

monthly as (
    select
        household.month,
        month.month_number,
        household.household_id,
        coalesce(medical.out_of_pocket_yuan, 0) as out_of_pocket_yuan,
        coalesce(medical.out_of_pocket_12m_yuan, 0) as out_of_pocket_12m_yuan,
        observed.observed_12m_count,
        coalesce(medical.highest_stay_yuan, 0) as highest_stay_yuan,
        medical.top_spender_key,
        medical.top_spender_12m_yuan,
        coalesce(tuition.annual_tuition_yuan, 0) as annual_tuition_yuan,
        coalesce(loss.loss_yuan, 0) as loss_yuan
    from household
    inner join month
        on household.month = month.month
    inner join observed
        on
            household.month = observed.month
            and household.county_code = observed.county_code
    left join medical
        on
            household.month = medical.month
            and household.household_id = medical.household_id
    left join tuition
        on
            household.month = tuition.month
            and household.household_id = tuition.household_id
    left join loss
        on
            household.month = loss.month
            and household.household_id = loss.household_id
),

windowed as (
    select
        *,
        cast(sum(annual_tuition_yuan) over year_back as double) / 12 as tuition_12m_yuan,
        sum(loss_yuan) over year_back as disaster_loss_12m_yuan
    from monthly
    window
        year_back as (
            partition by household_id
            order by month_number
            range between {{ months_before('rigid_spending_window_months') }} preceding and current row
        )
),

final as (
    select
        month,
        household_id,
        {{ yuan('out_of_pocket_yuan') }} as out_of_pocket_yuan,
        {{ yuan('out_of_pocket_12m_yuan') }} as out_of_pocket_12m_yuan,
        observed_12m_count,
        {{ yuan('highest_stay_yuan') }} as highest_stay_out_of_pocket_yuan,
        top_spender_key,
        top_spender_12m_yuan,
        {{ yuan('annual_tuition_yuan') }} as tuition_school_year_yuan,
        {{ yuan('tuition_12m_yuan') }} as tuition_12m_yuan,
        {{ yuan('loss_yuan') }} as disaster_loss_yuan,
        {{ yuan('disaster_loss_12m_yuan') }} as disaster_loss_12m_yuan,
        {{ yuan('greatest(out_of_pocket_12m_yuan, 0) + tuition_12m_yuan + disaster_loss_12m_yuan') }}
            as rigid_spending_12m_yuan
    from windowed
)

select * from final
