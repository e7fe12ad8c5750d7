"""When things run and in which order: Dagster definitions, resources, schedules, sensors; the command line."""
