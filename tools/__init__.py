"""Access to the outside world: channels, classifier, dates, calendar, reports, each with its limits and errors."""
