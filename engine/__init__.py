"""The engine: begins, claims, records, completes and cancels steps. Knows no Celery, HTTP or product."""
