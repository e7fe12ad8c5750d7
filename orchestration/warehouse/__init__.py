"""The warehouse as a run builds it: the plan, dbt and its lineage, what is looked at before anything is published."""
