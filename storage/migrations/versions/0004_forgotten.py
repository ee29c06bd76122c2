"""What forgetting a customer leaves: when an order was erased, and the marks of forgotten numbers."""

from alembic import op
import sqlalchemy as sa

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    # Erasing leaves an order without its customer, which upstream's own `erased` cannot.
    op.execute("""UPDATE tasks SET erased_at = updated_at WHERE metadata @> '{"erased": true}' AND status = 'closed' AND phone IS NULL AND NOT metadata ? 'customer_id'""")
    op.create_table('forgotten_numbers',
    sa.Column('phone_index', sa.LargeBinary(), nullable=False),
    sa.Column('forgotten_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('phone_index', name=op.f('pk_forgotten_numbers'))
    )


def downgrade() -> None:
    op.drop_table('forgotten_numbers')
    op.drop_column('tasks', 'erased_at')
