with
month as (
    select month from {{ ref('run_month') }}
),

found as (
    select * from {{ source('reference', 'check_result') }}
    where period is not null
),

catalogue as (
    select
        check_id,
        owner
    from {{ source('reference', 'check') }}
),

waiver as (
    select * from {{ source('reference', 'check_waiver') }}
),

explanation as (
    select * from {{ source('reference', 'check_explanation') }}
),

feed as (
    select
        feed,
        department
    from {{ source('reference', 'feed') }}
),

delivery as (
    select
        delivery_id,
        division,
        status,
        supersedes
    from {{ source('reference', 'delivery') }}
),

compared as (
    select * from {{ ref('compared_month') }}
),

contradiction as (
    select * from {{ ref('contradiction') }}
),

contradiction_check as (
    select * from {{ source('reference', 'contradiction_check') }}
),

replaced as (
    select supersedes as delivery_id
    from delivery
    where status = 'accepted' and supersedes is not null
),

-- Files as they stand now: what was wrong with one that a correction replaced is no fault of the month any more.
counted_delivery as (
    select
        delivery.delivery_id,
        delivery.division
    from delivery
    left join replaced on delivery.delivery_id = replaced.delivery_id
    where delivery.status in ('accepted', 'held') and replaced.delivery_id is null
),

of_delivery as (
    select
        cast(concat(found.period, '-01') as date) as month,
        found.check_id,
        found.feed_or_table as feed,
        found.feed_or_table as feed_owner,
        found.dimension,
        found.class as check_class,
        found.numerator,
        found.denominator,
        found.threshold,
        found.state,
        counted_delivery.division
    from found
    left join counted_delivery on found.delivery_id = counted_delivery.delivery_id
    where found.delivery_id is null or counted_delivery.delivery_id is not null
),

contradicted as (
    select
        month.month,
        contradiction.contradiction,
        contradiction.source_b as feed,
        count(distinct contradiction.person_key) as person_count
    from contradiction
    inner join month
        on
            contradiction.known_from <= month.month
            and contradiction.known_to > month.month
    group by month.month, contradiction.contradiction, contradiction.source_b
),

-- Names are compared with the register, whoever gave them; else with what the feed itself lists.
contradiction_counted as (
    select
        month.month,
        contradiction_check.check_id,
        contradiction_check.pair as feed,
        contradiction_check.feed as feed_owner,
        contradiction_check.dimension,
        contradiction_check.check_class,
        coalesce(contradicted.person_count, 0) as numerator,
        greatest(coalesce(compared.row_count, 0), coalesce(contradicted.person_count, 0)) as denominator,
        contradiction_check.threshold
    from contradiction_check
    cross join month
    left join compared
        on
            contradiction_check.compared = compared.compared
            and (contradiction_check.feed = compared.feed or contradiction_check.compared = 'registered')
            and month.month = compared.month
    left join contradicted
        on
            contradiction_check.contradiction = contradicted.contradiction
            and contradiction_check.feed = contradicted.feed
            and month.month = contradicted.month
),

of_contradiction as (
    select
        *,
        case
            when denominator = 0 then 'not_applicable'
            when cast(numerator as double) / denominator > threshold then 'failed'
            else 'passed'
        end as state,
        cast(null as string) as division
    from contradiction_counted
),

single as (
    select * from of_delivery
    union all
    select * from of_contradiction
),

numbered as (
    select
        single.*,
        row_number() over (
            order by
                single.month,
                single.check_id,
                single.feed,
                single.division,
                single.state,
                single.numerator,
                single.denominator
        ) as result_number
    from single
    inner join month on single.month = month.month
),

-- A waiver is for one check (its id names the feed), in some months of data or all, for a district or all.
waived as (
    select
        numbered.result_number,
        min(waiver.waiver_id) as waiver_id
    from numbered
    inner join waiver
        on
            numbered.check_id = waiver.check_id
            and coalesce(numbered.division = waiver.division, waiver.division is null)
            and coalesce(numbered.month >= waiver.month_from, true)
            and coalesce(numbered.month <= waiver.month_to, true)
    where numbered.state = 'failed'
    group by numbered.result_number
),

explained as (
    select
        check_id,
        month,
        min(explanation_id) as explanation_id
    from explanation
    group by check_id, month
),

together as (
    select
        numbered.month,
        numbered.check_id,
        numbered.feed,
        numbered.feed_owner,
        numbered.dimension,
        numbered.check_class,
        cast(sum(numbered.numerator) as bigint) as numerator,
        cast(sum(numbered.denominator) as bigint) as denominator,
        max(numbered.threshold) as threshold,
        sum(case when numbered.state = 'failed' then 1 else 0 end) as failed_count,
        sum(case when numbered.state = 'could_not_run' then 1 else 0 end) as not_run_count,
        sum(case when numbered.state = 'passed' then 1 else 0 end) as passed_count,
        count(waived.waiver_id) as waived_count,
        min(waived.waiver_id) as waiver_id
    from numbered
    left join waived on numbered.result_number = waived.result_number
    group by
        numbered.month,
        numbered.check_id,
        numbered.feed,
        numbered.feed_owner,
        numbered.dimension,
        numbered.check_class
),

final as (
    select
        together.check_id,
        together.dimension,
        together.check_class,
        coalesce(catalogue.owner, feed.department) as owner_department,
        together.feed,
        together.feed_owner,
        together.month,
        together.numerator,
        together.denominator,
        together.threshold,
        case
            when together.failed_count > 0 then 'failed'
            when together.not_run_count > 0 then 'could_not_run'
            when together.passed_count > 0 then 'passed'
            else 'not_applicable'
        end as state,
        case
            when together.failed_count > 0 and together.failed_count = together.waived_count then together.waiver_id
        end as waiver_id,
        case when together.failed_count > 0 then explained.explanation_id end as explanation_id,
        cast(together.failed_count as integer) as failed_delivery_count,
        cast(
            together.failed_count + together.not_run_count + together.passed_count as integer
        ) as judged_delivery_count
    from together
    left join feed on together.feed_owner = feed.feed
    left join catalogue on together.check_id = catalogue.check_id
    left join explained
        on
            together.check_id = explained.check_id
            and together.month = explained.month
)

select * from final
