"""What was learned and what was lost: suites, scoring, statistics, reports."""
