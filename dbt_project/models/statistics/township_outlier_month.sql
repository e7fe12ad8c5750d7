{#-
    Indirect standardisation: the city's rate of each stratum times what the township has of it, summed, is the number
    that data let one expect. A funnel plot in numbers: the interval of the observed rate, at two limits, widened where
    townships differ more than chance explains (Spiegelhalter 2005). See docs/statistics.md.
-#}
with
stratum as (
    select * from {{ ref('township_rate_stratum') }}
),

catalogue as (
    select * from {{ source('reference', 'outlier_measure') }}
),

wording as (
    select * from {{ source('reference', 'label') }}
),

sentence as (
    select * from wording
    where key = 'statistics.outlier.sentence'
),

limit_z as (
    select
        month,
        cast(max(case when dimension_key = 'notice' then value end) as double) as notice_z,
        cast(max(case when dimension_key = 'alarm' then value end) as double) as alarm_z
    from ({{ city_policy('outlier_limit_z') }}) as limits
    group by month
),

least_exposure as (
    {{ city_policy('outlier_min_exposure') }}
),

normal_expected as (
    {{ city_policy('outlier_normal_expected') }}
),

city_rate as (
    select
        measure,
        month,
        stratum,
        sum(observed) / cast(sum(exposure) as double) as rate
    from stratum
    group by measure, month, stratum
),

expected as (
    select
        stratum.measure,
        stratum.month,
        stratum.township_code,
        cast(sum(stratum.exposure) as integer) as exposure,
        cast(sum(stratum.observed) as integer) as observed,
        -- Rounded, since a sum of fractions depends on the order in which an engine adds them.
        round(sum(stratum.exposure * city_rate.rate), 9) as expected,
        round(sum(stratum.exposure * city_rate.rate * (1 - city_rate.rate)), 9) as variance
    from stratum
    inner join city_rate
        on
            stratum.measure = city_rate.measure
            and stratum.month = city_rate.month
            and stratum.stratum = city_rate.stratum
    group by stratum.measure, stratum.month, stratum.township_code
),

scored as (
    select
        expected.*,
        limit_z.notice_z,
        limit_z.alarm_z,
        expected.exposure < least_exposure.value as is_suppressed,
        case
            when least(expected.expected, expected.exposure - expected.expected) >= normal_expected.value then 'wilson'
            else 'byar'
        end as method,
        case
            when expected.variance > 0 then (expected.observed - expected.expected) / sqrt(expected.variance)
        end as z_score
    from expected
    inner join limit_z on expected.month = limit_z.month
    inner join least_exposure on expected.month = least_exposure.month
    inner join normal_expected on expected.month = normal_expected.month
),

-- How much townships differ beyond chance, the tenth at either end pulled in to the tenth and ninetieth percentile.
edge as (
    select
        measure,
        month,
        percentile_cont(0.1) within group (order by z_score) as low_z,
        percentile_cont(0.9) within group (order by z_score) as high_z
    from scored
    where not is_suppressed
    group by measure, month
),

dispersion as (
    select
        scored.measure,
        scored.month,
        greatest(
            1, round(avg(power(least(greatest(scored.z_score, edge.low_z), edge.high_z), 2)), 9)
        ) as overdispersion
    from scored
    inner join edge on scored.measure = edge.measure and scored.month = edge.month
    where not scored.is_suppressed
    group by scored.measure, scored.month
),

-- Observed and expected as rates; of the rarer side where the Poisson interval is used, since there it holds.
rated as (
    select
        scored.*,
        -- Of none that can be compared nothing is known.
        coalesce(dispersion.overdispersion, 1) as overdispersion,
        scored.observed / cast(scored.exposure as double) as observed_rate,
        scored.expected / scored.exposure as expected_rate,
        scored.notice_z * sqrt(coalesce(dispersion.overdispersion, 1)) as wide_notice_z,
        scored.alarm_z * sqrt(coalesce(dispersion.overdispersion, 1)) as wide_alarm_z,
        scored.expected > scored.exposure / 2.0 as is_rare_side_turned
    from scored
    left join dispersion on scored.measure = dispersion.measure and scored.month = dispersion.month
),

bounded as (
    select
        *,
        {{ rate_limit('lower', 'wide_notice_z') }} as notice_lower,
        {{ rate_limit('upper', 'wide_notice_z') }} as notice_upper,
        {{ rate_limit('lower', 'wide_alarm_z') }} as alarm_lower,
        {{ rate_limit('upper', 'wide_alarm_z') }} as alarm_upper
    from rated
),

judged as (
    select
        bounded.*,
        case
            when bounded.is_suppressed then 'suppressed'
            when bounded.expected_rate < bounded.alarm_lower or bounded.expected_rate > bounded.alarm_upper then 'alarm'
            when bounded.expected_rate < bounded.notice_lower or bounded.expected_rate > bounded.notice_upper
                then 'notice'
            else 'usual'
        end as state,
        case when bounded.observed_rate > bounded.expected_rate then catalogue.high else catalogue.low end as side,
        catalogue.title_zh,
        catalogue.title_en,
        catalogue.strata_zh,
        catalogue.strata_en
    from bounded
    inner join catalogue on bounded.measure = catalogue.measure
),

final as (
    select
        judged.measure,
        judged.month,
        judged.township_code,
        judged.exposure,
        judged.observed,
        judged.expected,
        judged.observed_rate,
        judged.expected_rate,
        judged.observed / nullif(judged.expected, 0) as observed_to_expected_ratio,
        judged.notice_lower,
        judged.notice_upper,
        judged.alarm_lower,
        judged.alarm_upper,
        judged.overdispersion,
        judged.method,
        judged.is_suppressed,
        judged.state,
        {%- for lang in ('zh', 'en') %}
        {{ filled('sentence.' ~ lang, {
            'measure': 'judged.title_' ~ lang,
            'exposure': 'cast(judged.exposure as string)',
            'observed': 'cast(judged.observed as string)',
            'observed_rate': percent_text('judged.observed_rate'),
            'strata': 'judged.strata_' ~ lang,
            'expected': plain_number('judged.expected'),
            'expected_rate': percent_text('judged.expected_rate'),
            'state': 'state_text.' ~ lang,
            'direction': 'coalesce(direction_text.' ~ lang ~ ", '')",
        }) }} as explanation_{{ lang }},
        {%- endfor %}
        case when judged.state in ('notice', 'alarm') then judged.side end as direction
    from judged
    cross join sentence
    inner join wording as state_text on state_text.key = concat('statistics.outlier.state.', judged.state)
    left join wording as direction_text
        on
            judged.state in ('notice', 'alarm')
            and direction_text.key = concat('statistics.outlier.direction.', judged.side)
)

select * from final
