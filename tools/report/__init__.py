"""The report: one HTML page of everything that the runs left in their records."""
