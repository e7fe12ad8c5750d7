with
compared as (
    select * from {{ ref('comparison_between_tables') }}
    union all
    select * from {{ ref('comparison_within_figures') }}
),

reason as (
    select * from {{ ref('difference_reason') }}
),

catalogue as (
    select * from {{ source('reference', 'statistics_reason') }}
),

wording as (
    select * from {{ source('reference', 'label') }}
),

part as (
    select * from wording
    where key = 'statistics.part'
),

agrees as (
    select * from wording
    where key = 'statistics.agrees'
),

unexplained as (
    select * from wording
    where key = 'statistics.unexplained'
),

tolerance as (
    {{ city_policy('statistics_tolerance') }}
),

-- Only reasons that the catalogue allows for a check explain anything.
explained as (
    select
        reason.check_id,
        reason.month,
        reason.area_level,
        reason.area_code,
        sum(reason.value) as explained_value,
        {{ ordered_text('reason.reason', 'catalogue.sort_order', "','") }} as explanation_codes,
        {{ ordered_text(
            filled('part.zh', {'reason': 'catalogue.zh', 'value': plain_number('abs(reason.value)')}),
            'catalogue.sort_order', "'；'"
        ) }} as explanation_zh,
        {{ ordered_text(
            filled('part.en', {'reason': 'catalogue.en', 'value': plain_number('abs(reason.value)')}),
            'catalogue.sort_order', "'; '"
        ) }} as explanation_en
    from reason
    inner join catalogue on reason.check_id = catalogue.check_id and reason.reason = catalogue.reason
    cross join part
    where reason.value <> 0
    group by reason.check_id, reason.month, reason.area_level, reason.area_code
),

judged as (
    select
        compared.*,
        tolerance.value as tolerance,
        coalesce(explained.explained_value, 0) as explained_value,
        compared.difference - coalesce(explained.explained_value, 0) as unexplained_value,
        explained.explanation_codes,
        explained.explanation_zh,
        explained.explanation_en,
        case
            when explained.check_id is null and abs(compared.difference) <= tolerance.value then 'agrees'
            when abs(compared.difference - coalesce(explained.explained_value, 0)) <= tolerance.value then 'explained'
            else 'unexplained'
        end as state
    from compared
    inner join tolerance on compared.month = tolerance.month
    left join explained
        on
            compared.check_id = explained.check_id
            and compared.month = explained.month
            and compared.area_level = explained.area_level
            and compared.area_code = explained.area_code
),

final as (
    select
        judged.check_id,
        judged.figure,
        judged.month,
        judged.area_level,
        judged.area_code,
        judged.left_value,
        judged.right_value,
        judged.difference,
        cast(judged.tolerance as decimal(18, 4)) as tolerance,
        cast(judged.explained_value as decimal(18, 4)) as explained_value,
        judged.state,
        judged.explanation_codes,
        case judged.state
            when 'agrees' then agrees.zh
            when 'explained' then judged.explanation_zh
            else
                concat_ws(
                    '；',
                    judged.explanation_zh,
                    {{ filled('unexplained.zh', {'value': plain_number('judged.unexplained_value')}) }}
                )
        end as explanation_zh,
        case judged.state
            when 'agrees' then agrees.en
            when 'explained' then judged.explanation_en
            else
                concat_ws(
                    '; ',
                    judged.explanation_en,
                    {{ filled('unexplained.en', {'value': plain_number('judged.unexplained_value')}) }}
                )
        end as explanation_en
    from judged
    cross join agrees
    cross join unexplained
)

select * from final
