"""What lies in a data home and how it is opened: settings, records, stores, turns, copies, what is published."""
