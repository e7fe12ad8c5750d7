with
parent as (
    select * from {{ ref('child_parent_month') }}
),

custody as (
    select * from {{ ref('person_custody') }}
    where is_detained
),

disability as (
    select * from {{ ref('person_disability') }}
    where is_severe and status = '1'
),

needed as (
    {{ city_policy('unattended_child_months') }}
),

meaning as (
    select
        state,
        care
    from {{ source('reference', 'parent_state') }}
),

-- A major illness shows in what the person alone has paid, as in N23: the line of N01 for the layer of the household.
spending as (
    select
        month,
        person_key,
        household_id,
        out_of_pocket_12m_yuan
    from {{ ref('person_month_spending') }}
),

household as (
    select
        month,
        household_id,
        county_code,
        register_layer
    from {{ ref('household_month') }}
),

line as (
    {{ policy_parameter('n01_medical_line') }}
),

ill as (
    select distinct
        spending.month,
        spending.person_key
    from spending
    inner join household on spending.month = household.month and spending.household_id = household.household_id
    inner join line
        on
            household.month = line.month
            and household.county_code = line.county_code
            and household.register_layer = line.dimension_key
    where spending.out_of_pocket_12m_yuan > line.value
),

-- Custody keeps a parent away where it has lasted, or is to last, as long as the rule asks, to the day; a term that is
-- over says nothing any more, whatever the register still holds. Then it is asked what else is known of the parent.
looked_at as (
    select
        parent.month,
        parent.child_key,
        parent.parent_key,
        parent.parent_sex,
        parent.known_parent_count,
        case
            when parent.state is null then 'none'
            when parent.state <> 'custody' then parent.state
            when custody.until_date < parent.month then 'none'
            when
                custody.until_date is null
                or custody.until_date >= {{ add_months('custody.from_date', 'cast(needed.value as integer)') }}
                or {{ add_months('custody.from_date', 'cast(needed.value as integer)') }}
                < {{ add_months('parent.month', 1) }}
                then 'custody'
            when disability.person_key is null then 'short_custody'
            else 'none'
        end as state,
        disability.person_key is not null as is_disabled,
        ill.person_key is not null as is_ill,
        parent.state_since,
        parent.delivery_id,
        parent.row_number,
        disability.issued_on,
        disability.delivery_id as disability_delivery_id,
        disability.row_number as disability_row_number
    from parent
    inner join needed on parent.month = needed.month
    left join custody
        on
            parent.parent_key = custody.person_key
            and parent.state = 'custody'
            and {{ in_force('parent.month', 'custody') }}
    left join disability
        on
            parent.parent_key = disability.person_key
            and {{ in_force('parent.month', 'disability') }}
            and (disability.valid_until is null or parent.month <= disability.valid_until)
    left join ill on parent.month = ill.month and parent.parent_key = ill.person_key
    qualify
        row_number() over (
            partition by parent.month, parent.child_key, parent.parent_key
            order by disability.issued_on, disability.delivery_id, disability.row_number
        ) = 1
),

decided as (
    select
        *,
        case
            when state <> 'none' then state
            when is_disabled then 'severe_disability'
            when is_ill then 'serious_illness'
        end as care_state
    from looked_at
),

final as (
    select
        decided.month,
        decided.child_key,
        decided.parent_key,
        decided.parent_sex,
        decided.known_parent_count,
        decided.care_state as state,
        coalesce(meaning.care, 'able') as care,
        case
            when decided.state <> 'none' then decided.state_since
            when decided.is_disabled then decided.issued_on
        end as state_since,
        case
            when decided.state <> 'none' then decided.delivery_id
            when decided.is_disabled then decided.disability_delivery_id
        end as delivery_id,
        case
            when decided.state <> 'none' then decided.row_number
            when decided.is_disabled then decided.disability_row_number
        end as row_number
    from decided
    left join meaning on decided.care_state = meaning.state
)

select * from final
