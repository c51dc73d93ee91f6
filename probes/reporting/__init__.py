"""One probe run for people: report.html, report.md, scores.csv."""
