"""deliveries and notices are carried by runs."""

from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('deliveries', sa.Column('run_id', sa.String(length=32), nullable=True))
    op.create_index('ix_deliveries_unassigned', 'deliveries', ['event_id'], unique=False, postgresql_where=sa.text("state = 'waiting' AND run_id IS NULL"))
    op.add_column('notices', sa.Column('run_id', sa.String(length=32), nullable=True))
    op.create_index('ix_notices_unassigned', 'notices', ['notice_id'], unique=False, postgresql_where=sa.text("state = 'waiting' AND run_id IS NULL"))
    op.drop_index('ix_notices_waiting', 'notices')
    op.create_index('ix_notices_waiting', 'notices', ['to_role'], unique=False, postgresql_where=sa.text("state = 'waiting'"))


def downgrade() -> None:
    op.drop_index('ix_notices_waiting', 'notices')
    op.create_index('ix_notices_waiting', 'notices', ['due_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index('ix_notices_unassigned', 'notices')
    op.drop_column('notices', 'run_id')
    op.drop_index('ix_deliveries_unassigned', 'deliveries')
    op.drop_column('deliveries', 'run_id')
