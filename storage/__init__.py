"""The truth: tables, repositories, unit of work, migrations. Nobody else speaks SQL."""
