"""The database: tables, repositories, unit of work, migrations. No other package uses SQL."""
