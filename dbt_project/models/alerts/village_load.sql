with
alert as (
    select * from {{ ref('alert') }}
    where is_standing and not is_silenced
),

worker as (
    {{ policy_parameter('village_worker_count') }}
),

capacity as (
    {{ policy_parameter('visit_capacity') }}
),

counted as (
    select
        month,
        county_code,
        charged_township_code as township_code,
        charged_village_code as village_code,
        count(*) as alert_count,
        sum(case when is_within_capacity then 1 else 0 end) as listed_count,
        sum(case when not is_within_capacity then 1 else 0 end) as put_off_count,
        sum(case when level = 'red' then 1 else 0 end) as red_count
    from alert
    group by month, county_code, charged_township_code, charged_village_code
),

final as (
    select
        counted.month,
        counted.township_code,
        counted.village_code,
        cast(counted.alert_count as integer) as alert_count,
        cast(counted.listed_count as integer) as listed_count,
        cast(counted.put_off_count as integer) as put_off_count,
        cast(counted.red_count as integer) as red_count,
        case when counted.village_code is not null then cast(worker.value * capacity.value as integer) end
            as capacity_count
    from counted
    left join worker on counted.month = worker.month and counted.county_code = worker.county_code
    left join capacity on counted.month = capacity.month and counted.county_code = capacity.county_code
)

select * from final
