with
hukou as (
    select * from {{ ref('hukou_household_member') }}
),

person as (
    select * from {{ ref('person') }}
),

guardian as (
    select * from {{ ref('person_child_register') }}
),

majority as (
    {{ city_policy('majority_age') }}
),

-- The earliest row of a person says who the parents are; a later spouse of the head is a stepparent.
first_row as (
    select * from hukou
    qualify row_number() over (partition by person_key order by valid_from) = 1
),

-- Relations seen from the head: whose children stand under which relation, and what their parents stand under.
rule as (
    select
        pair.child_relation,
        pair.parent_relation
    from (
        values
        ('20', '02'), ('30', '02'), ('20', '10'), ('30', '10'),
        ('02', '50'), ('02', '51'), ('02', '52'),
        ('70', '50'), ('70', '51'), ('70', '52')
    ) as pair (child_relation, parent_relation)
),

by_relation as (
    select
        child.person_key as child_key,
        parent.person_key as parent_key,
        'hukou' as basis,
        child.valid_from as known_month,
        child.delivery_id,
        child.row_number
    from first_row as child
    inner join rule
        on child.relation_to_head = rule.child_relation
    inner join hukou as parent
        on
            child.hukou_key = parent.hukou_key
            and child.valid_from = parent.valid_from
            and rule.parent_relation = parent.relation_to_head
),

-- A grandchild of the head is the child of the only grown-up son or daughter in the household.
only_middle as (
    select
        hukou.hukou_key,
        hukou.valid_from,
        min(hukou.person_key) as person_key,
        min(person.born_on) as born_on
    from hukou
    inner join person
        on hukou.person_key = person.person_key
    inner join majority
        on hukou.valid_from = majority.month
    where
        hukou.relation_to_head in ('20', '30')
        and {{ add_months('person.born_on', 'cast(majority.value * 12 as integer)') }} <= hukou.valid_from
    group by hukou.hukou_key, hukou.valid_from
    having count(*) = 1
),

by_grandparent as (
    select
        child.person_key as child_key,
        only_middle.person_key as parent_key,
        'hukou' as basis,
        child.valid_from as known_month,
        child.delivery_id,
        child.row_number
    from first_row as child
    inner join only_middle
        on
            child.hukou_key = only_middle.hukou_key
            and child.valid_from = only_middle.valid_from
    where child.relation_to_head = '40'
),

by_guardian as (
    select
        person_key as child_key,
        guardian_key as parent_key,
        'guardian' as basis,
        valid_from as known_month,
        delivery_id,
        row_number
    from guardian
    where
        guardian_relation in ('50', '51', '52')
        and guardian_key is not null
),

told as (
    select * from by_relation
    union all
    select * from by_grandparent
    union all
    select * from by_guardian
),

final as (
    select
        told.child_key,
        told.parent_key,
        parent.sex as parent_sex,
        told.basis,
        told.known_month,
        told.delivery_id,
        told.row_number
    from told
    inner join person as child
        on told.child_key = child.person_key
    inner join person as parent
        on told.parent_key = parent.person_key
    where parent.born_on < child.born_on
    qualify
        row_number() over (
            partition by told.child_key, told.parent_key
            order by told.known_month, told.basis desc, told.delivery_id, told.row_number
        ) = 1
)

select * from final
