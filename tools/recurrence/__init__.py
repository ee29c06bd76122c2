"""When something that recurs is due: cron expressions on the customer's calendar, with an end."""
