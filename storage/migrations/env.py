"""How Alembic reaches the database: over the connection that `storage.core.migrate` hands it."""

from alembic import context

from storage.migrations.tables import is_declared, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=False,
    include_name=is_declared,
)
with context.begin_transaction():
    context.run_migrations()
