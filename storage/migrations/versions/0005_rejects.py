"""what a replay needs: how an input was sent, its order, how often it came; headers of an answer that is given again."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('rejects', sa.Column('order_id', sa.String(length=64), nullable=True))
    op.add_column('rejects', sa.Column('envelope', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))
    op.add_column('rejects', sa.Column('digest', sa.LargeBinary(), nullable=True))
    op.add_column('rejects', sa.Column('times', sa.Integer(), server_default='1', nullable=False))
    op.add_column('rejects', sa.Column('last_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False))
    op.add_column('rejects', sa.Column('handled_agent', sa.String(length=64), nullable=True))
    op.execute('UPDATE rejects SET last_at = rejected_at')
    op.create_index('ix_rejects_digest', 'rejects', ['digest'], unique=True, postgresql_where=sa.text("state = 'open' AND payload <> ''"))
    op.add_column('idempotency_keys', sa.Column('headers', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column('idempotency_keys', 'headers')
    op.drop_index('ix_rejects_digest', 'rejects')
    for column in ('handled_agent', 'last_at', 'times', 'digest', 'envelope', 'order_id'):
        op.drop_column('rejects', column)
