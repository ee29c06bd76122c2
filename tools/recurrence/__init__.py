"""Due times of recurring follow-ups: cron expressions in the customer's time zone, with an end."""
