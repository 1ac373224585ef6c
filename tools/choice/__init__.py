"""Model choice: accuracy against time, within hard budgets."""
