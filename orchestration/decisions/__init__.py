"""What people decide, and where it is noted: about alerts, and about failed checks."""
