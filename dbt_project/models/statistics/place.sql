with
division as (
    select * from {{ source('reference', 'division') }}
),

city as (
    select min(code) as code
    from division
    where level = 'city'
),

told as (
    select village_code from {{ ref('benefit_household_month') }}
    union distinct
    select village_code from {{ ref('household_month') }}
    union distinct
    select village_code from {{ ref('elder_visit_month') }}
    union distinct
    select village_code from {{ ref('child_state_month') }}
    union distinct
    -- Whoever has no place at all.
    select cast(null as string) as village_code
    from {{ ref('run_month') }}
),

final as (
    select
        coalesce(told.village_code, '') as told_code,
        -- What is not known of a place is zero in its code, as in the official ones of townships and counties.
        case
            when village.code is not null then village.code
            when township.code is not null then township.code
            when county.code is not null then county.code
            else city.code
        end as village_code,
        village.area_type,
        village.code is not null as is_known
    from told
    left join division as village on told.village_code = village.code and village.level = 'village'
    left join division as township
        on concat(substr(told.village_code, 1, 9), '000') = township.code and township.level = 'township'
    left join division as county
        on concat(substr(told.village_code, 1, 6), '000000') = county.code and county.level = 'county'
    cross join city
)

select * from final
