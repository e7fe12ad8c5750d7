"""What an auditor follows: the audit log and its chain, manifests, where a figure comes from, a month made anew."""
