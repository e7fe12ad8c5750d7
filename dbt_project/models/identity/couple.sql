with
delivered as (
    select * from {{ ref('stg_civil_affairs__marriage_register') }}
),

-- Households live by what was told first, since a later telling must not alter the months before.
told as (
    {{ first_of_event('delivered', ['certificate_no']) }}
),

spouse as (
    select
        *,
        husband_key as person_key,
        wife_key as spouse_key
    from told
    where husband_key <> wife_key
    union all
    select
        *,
        wife_key as person_key,
        husband_key as spouse_key
    from told
    where husband_key <> wife_key
),

event as (
    select
        certificate_no,
        person_key,
        spouse_key,
        event,
        registered_on,
        delivery_id,
        row_number,
        {{ effective_month('known_month', 'registered_on') }} as valid_from
    from spouse
),

-- What is registered later takes the place of what was before, as soon as it is known: between the two, and a new
-- marriage of either also where nobody told of the end of the first.
overtaken as {{ step() }} (
    select
        event.certificate_no,
        min(later.valid_from) as valid_to
    from event
    inner join event as later
        on
            event.person_key = later.person_key
            and event.certificate_no <> later.certificate_no
            and (
                event.spouse_key = later.spouse_key
                or (event.event = '1' and later.event = '1')
            )
            and (
                event.registered_on < later.registered_on
                or (event.registered_on = later.registered_on and event.certificate_no < later.certificate_no)
            )
    group by event.certificate_no
),

final as (
    select
        event.certificate_no,
        event.person_key,
        event.spouse_key,
        event.event = '1' as is_married,
        event.registered_on,
        event.valid_from,
        coalesce(overtaken.valid_to, date '9999-12-31') as valid_to,
        event.delivery_id,
        event.row_number
    from event
    left join overtaken
        on event.certificate_no = overtaken.certificate_no
    where event.valid_from < coalesce(overtaken.valid_to, date '9999-12-31')
)

select * from final
