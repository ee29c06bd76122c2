"""The processes: the Celery app and tasks, the Publisher, intake, tick; each agent's queue and pool."""
