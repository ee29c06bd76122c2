"""The world: channels, classifier, dates, calendar, actions, reports, each with its limits, effect and errors."""
