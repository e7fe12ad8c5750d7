"""Deliveries on their way in, as commands and assets see them: sources, intake, what is late, held or quarantined."""
