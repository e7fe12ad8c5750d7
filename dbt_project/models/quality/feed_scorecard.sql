with
delivered as (
    select * from {{ ref('delivery_month') }}
),

result as (
    select * from {{ ref('check_result') }}
),

defect as (
    select * from {{ ref('feed_defect_month') }}
),

weight as (
    {{ city_policy('quality_grade_weight') }}
),

worst as (
    {{ city_policy('quality_grade_worst') }}
),

least_score as (
    {{ city_policy('quality_grade_least_score') }}
),

part as (
    select
        weight.month,
        max(case when weight.dimension_key = 'on_time' then cast(weight.value as double) end) as on_time_weight,
        max(case when weight.dimension_key = 'on_time' then cast(worst.value as double) end) as on_time_worst,
        max(case when weight.dimension_key = 'accepted' then cast(weight.value as double) end) as accepted_weight,
        max(case when weight.dimension_key = 'accepted' then cast(worst.value as double) end) as accepted_worst,
        max(case when weight.dimension_key = 'mandatory' then cast(weight.value as double) end) as mandatory_weight,
        max(case when weight.dimension_key = 'mandatory' then cast(worst.value as double) end) as mandatory_worst,
        max(case when weight.dimension_key = 'verifying' then cast(weight.value as double) end) as verifying_weight,
        max(case when weight.dimension_key = 'verifying' then cast(worst.value as double) end) as verifying_worst,
        max(
            case when weight.dimension_key = 'contradiction' then cast(weight.value as double) end
        ) as contradiction_weight,
        max(
            case when weight.dimension_key = 'contradiction' then cast(worst.value as double) end
        ) as contradiction_worst
    from weight
    inner join worst
        on
            weight.month = worst.month
            and weight.dimension_key = worst.dimension_key
    group by weight.month
),

grade as (
    select
        quality_grade.grade,
        quality_grade.sort_order,
        quality_grade.is_cap_mandatory,
        quality_grade.is_not_arrived,
        least_score.month,
        cast(least_score.value as double) as least_score
    from {{ source('reference', 'quality_grade') }} as quality_grade
    inner join least_score on quality_grade.grade = least_score.dimension_key
),

cap as (
    select
        max(case when is_cap_mandatory then sort_order end) as cap_order,
        max(case when is_not_arrived then sort_order end) as not_arrived_order
    from grade
),

nulled as (
    select
        feed,
        month,
        sum(row_count) as cell_count
    from defect
    where treatment = 'nulled'
    group by feed, month
),

-- Punctuality is judged by its check, which knows a backlog; what departments say against each other is a part of its
-- own. A waived failure is neither good nor bad.
judged as (
    select
        feed_owner as feed,
        month,
        sum(case when state = 'passed' then 1 else 0 end) as passed_count,
        sum(case when state = 'failed' then 1 else 0 end) as failed_count,
        sum(case when state = 'not_applicable' then 1 else 0 end) as not_applicable_count,
        sum(case when state = 'could_not_run' then 1 else 0 end) as could_not_run_count,
        sum(case when waiver_id is not null then 1 else 0 end) as waived_count,
        sum(case when state = 'failed' and waiver_id is null and check_class = 'mandatory' then 1 else 0 end)
            as mandatory_failed_count,
        sum(case when state = 'failed' and waiver_id is null and check_class = 'verifying' then 1 else 0 end)
            as verifying_failed_count,
        sum(
            case
                when
                    state = 'failed' and waiver_id is null and check_class = 'verifying' and explanation_id is null
                    then 1
                else 0
            end
        ) as unexplained_count,
        sum(case when feed <> feed_owner then numerator else 0 end) as contradiction_count,
        sum(case when feed <> feed_owner then denominator else 0 end) as compared_count,
        sum(
            case
                when feed <> feed_owner and waiver_id is null and explanation_id is null then numerator
                else 0
            end
        ) as open_contradiction_count,
        max(case when check_id = concat(feed, '.on_time') then state end) as on_time_state,
        sum(case when {{ graded('mandatory') }} then 1 else 0 end) as mandatory_judged_count,
        sum(case when {{ graded('mandatory') }} and state <> 'passed' then 1 else 0 end) as mandatory_bad_count,
        sum(case when {{ graded('verifying') }} then 1 else 0 end) as verifying_judged_count,
        sum(
            case
                when {{ graded('verifying') }} and state <> 'passed' and explanation_id is null then 1
                else 0
            end
        ) as verifying_bad_count
    from result
    group by feed_owner, month
),

counted as (
    select
        delivered.month,
        delivered.department,
        delivered.feed,
        delivered.is_expected,
        delivered.is_arrived,
        case
            when delivered.is_expected and not delivered.is_arrived then false
            when judged.on_time_state = 'passed' then true
            when judged.on_time_state = 'failed' then false
        end as is_on_time,
        case
            when judged.on_time_state = 'failed'
                then greatest({{ days_between('delivered.due_on', 'delivered.first_received_on') }}, 0)
            when judged.on_time_state = 'passed' then 0
        end as late_days,
        delivered.accepted_count
        + delivered.rejected_count
        + delivered.held_count
        + delivered.duplicate_count as file_count,
        delivered.accepted_count as accepted_file_count,
        delivered.rejected_count as rejected_file_count,
        delivered.held_count as held_file_count,
        delivered.data_row_count,
        delivered.accepted_row_count,
        delivered.quarantined_row_count,
        coalesce(nulled.cell_count, 0) as nulled_cell_count,
        coalesce(judged.passed_count, 0) as passed_count,
        coalesce(judged.failed_count, 0) as failed_count,
        coalesce(judged.not_applicable_count, 0) as not_applicable_count,
        coalesce(judged.could_not_run_count, 0) as could_not_run_count,
        coalesce(judged.mandatory_failed_count, 0) as mandatory_failed_count,
        coalesce(judged.verifying_failed_count, 0) as verifying_failed_count,
        coalesce(judged.unexplained_count, 0) as unexplained_count,
        coalesce(judged.waived_count, 0) as waived_count,
        coalesce(judged.contradiction_count, 0) as contradiction_count,
        coalesce(judged.compared_count, 0) as compared_count,
        coalesce(judged.open_contradiction_count, 0) as open_contradiction_count,
        coalesce(judged.mandatory_judged_count, 0) as mandatory_judged_count,
        coalesce(judged.mandatory_bad_count, 0) as mandatory_bad_count,
        coalesce(judged.verifying_judged_count, 0) as verifying_judged_count,
        coalesce(judged.verifying_bad_count, 0) as verifying_bad_count
    from delivered
    left join nulled on delivered.feed = nulled.feed and delivered.month = nulled.month
    left join judged on delivered.feed = judged.feed and delivered.month = judged.month
),

-- Each part from 1 down to 0 at its worst value; null where there is nothing to judge.
measured as (
    select
        counted.*,
        part.on_time_weight,
        part.accepted_weight,
        part.mandatory_weight,
        part.verifying_weight,
        part.contradiction_weight,
        case
            when counted.is_expected and not counted.is_arrived then 0
            else {{ falling('counted.late_days', 'part.on_time_worst') }}
        end as on_time_part,
        case
            when counted.data_row_count > 0
                then
                    {{ falling(
                        'cast(counted.quarantined_row_count as double) / counted.data_row_count', 'part.accepted_worst'
                    ) }}
        end as accepted_part,
        case
            when counted.mandatory_judged_count > 0
                then
                    {{ falling(
                        'cast(counted.mandatory_bad_count as double) / counted.mandatory_judged_count',
                        'part.mandatory_worst'
                    ) }}
        end as mandatory_part,
        case
            when counted.verifying_judged_count > 0
                then
                    {{ falling(
                        'cast(counted.verifying_bad_count as double) / counted.verifying_judged_count',
                        'part.verifying_worst'
                    ) }}
        end as verifying_part,
        case
            when counted.compared_count > 0
                then
                    {{ falling(
                        'cast(counted.open_contradiction_count as double) / counted.compared_count',
                        'part.contradiction_worst'
                    ) }}
        end as contradiction_part
    from counted
    inner join part on counted.month = part.month
),

-- A feed of which nothing is due and nothing came is not graded in the month.
scored as (
    select
        *,
        case
            when is_expected or is_arrived
                then
                    round(
                        100 * (
                            coalesce(on_time_part * on_time_weight, 0)
                            + coalesce(accepted_part * accepted_weight, 0)
                            + coalesce(mandatory_part * mandatory_weight, 0)
                            + coalesce(verifying_part * verifying_weight, 0)
                            + coalesce(contradiction_part * contradiction_weight, 0)
                        ) / (
                            case when on_time_part is null then 0 else on_time_weight end
                            + case when accepted_part is null then 0 else accepted_weight end
                            + case when mandatory_part is null then 0 else mandatory_weight end
                            + case when verifying_part is null then 0 else verifying_weight end
                            + case when contradiction_part is null then 0 else contradiction_weight end
                        ), 1
                    )
        end as score
    from measured
),

ranked as (
    select
        scored.month,
        scored.feed,
        min(grade.sort_order) as score_order
    from scored
    inner join grade
        on
            scored.month = grade.month
            and scored.score >= grade.least_score
    group by scored.month, scored.feed
),

graded as (
    select
        scored.*,
        case
            when scored.is_expected and not scored.is_arrived then greatest(ranked.score_order, cap.not_arrived_order)
            when scored.mandatory_failed_count > 0 then greatest(ranked.score_order, cap.cap_order)
            else ranked.score_order
        end as grade_order
    from scored
    cross join cap
    left join ranked on scored.feed = ranked.feed and scored.month = ranked.month
),

final as (
    select
        graded.month,
        graded.department,
        graded.feed,
        graded.is_expected,
        graded.is_arrived,
        graded.is_on_time,
        cast(graded.late_days as integer) as late_days,
        cast(graded.file_count as integer) as file_count,
        cast(graded.accepted_file_count as integer) as accepted_file_count,
        cast(graded.rejected_file_count as integer) as rejected_file_count,
        cast(graded.held_file_count as integer) as held_file_count,
        cast(graded.data_row_count as bigint) as data_row_count,
        cast(graded.accepted_row_count as bigint) as accepted_row_count,
        cast(graded.quarantined_row_count as bigint) as quarantined_row_count,
        case
            when graded.data_row_count > 0 then cast(graded.accepted_row_count as double) / graded.data_row_count
        end as accepted_ratio,
        cast(graded.nulled_cell_count as bigint) as nulled_cell_count,
        cast(graded.passed_count as integer) as passed_count,
        cast(graded.failed_count as integer) as failed_count,
        cast(graded.not_applicable_count as integer) as not_applicable_count,
        cast(graded.could_not_run_count as integer) as could_not_run_count,
        cast(graded.mandatory_failed_count as integer) as mandatory_failed_count,
        cast(graded.verifying_failed_count as integer) as verifying_failed_count,
        cast(graded.unexplained_count as integer) as unexplained_count,
        cast(graded.waived_count as integer) as waived_count,
        cast(graded.contradiction_count as bigint) as contradiction_count,
        graded.on_time_part,
        graded.accepted_part,
        graded.mandatory_part,
        graded.verifying_part,
        graded.contradiction_part,
        graded.score,
        grade.grade,
        lag(graded.score) over (partition by graded.feed order by graded.month) as score_before,
        round(
            avg(graded.score) over (
                partition by graded.feed order by graded.month
                rows between 24 preceding and 1 preceding
            ), 1
        ) as score_mean_24
    from graded
    left join grade
        on
            graded.grade_order = grade.sort_order
            and graded.month = grade.month
)

select * from final
