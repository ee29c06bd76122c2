"""what the door needs: dispatches, signals, keys that expire, outside agents, webhooks."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storage.core.columns import TransactionId

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agents',
    sa.Column('agent_id', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=32), nullable=False),
    sa.Column('registered_by', sa.String(length=32), nullable=False),
    sa.Column('capabilities', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('most_at_once', sa.Integer(), server_default='1', nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=32), server_default='idle', nullable=False),
    sa.Column('working_on', sa.Integer(), server_default='0', nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('agent_id', name=op.f('pk_agents'))
    )
    op.create_table('pulses',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pulses')),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('idempotency_keys',
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('agent_id', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_index('ix_idempotency_keys_created_at', 'idempotency_keys', ['created_at'], unique=False)
    op.create_table('signals',
    sa.Column('task_id', sa.String(length=64), nullable=False),
    sa.Column('signal_id', sa.String(length=64), nullable=False),
    sa.Column('type', sa.String(length=32), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('outcome', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=32), nullable=False),
    sa.Column('effect', sa.Text(), nullable=False),
    sa.Column('sent_by', sa.String(length=32), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.PrimaryKeyConstraint('task_id', 'signal_id', name=op.f('pk_signals'))
    )
    op.create_table('subscribers',
    sa.Column('subscriber_id', sa.String(length=32), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('events', postgresql.ARRAY(sa.String(length=32)), nullable=False),
    sa.Column('active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('fed_transaction', TransactionId(), nullable=False),
    sa.Column('fed_event', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('subscriber_id', name=op.f('pk_subscribers'))
    )
    op.create_table('deliveries',
    sa.Column('delivery_id', sa.String(length=32), nullable=False),
    sa.Column('subscriber_id', sa.String(length=32), nullable=False),
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('event_type', sa.String(length=32), nullable=False),
    sa.Column('payload', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='waiting', nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_status', sa.Integer(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.subscriber_id'], name=op.f('fk_deliveries_subscriber_id')),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('subscriber_id', 'event_id', name=op.f('uq_deliveries_subscriber_id_event_id'))
    )
    op.create_index('ix_deliveries_in_order', 'deliveries', ['subscriber_id', 'task_id', 'event_id'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('ix_deliveries_task_id', 'deliveries', ['task_id'], unique=False)
    op.create_index('ix_deliveries_waiting', 'deliveries', ['subscriber_id', 'due_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('dispatches',
    sa.Column('dispatch_id', sa.String(length=32), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('target_agent', sa.String(length=32), nullable=False),
    sa.Column('action_type', sa.String(length=32), nullable=False),
    sa.Column('given', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['step_id'], ['steps.step_id'], name=op.f('fk_dispatches_step_id')),
    sa.PrimaryKeyConstraint('dispatch_id', name=op.f('pk_dispatches'))
    )
    op.create_index('ix_dispatches_step_id', 'dispatches', ['step_id'], unique=False)
    op.create_index('ix_dispatches_task_id', 'dispatches', ['task_id'], unique=False)
    op.add_column('alerts', sa.Column('handled_by', sa.String(length=64), nullable=True))
    op.add_column('alerts', sa.Column('note', sa.Text(), nullable=True))
    op.create_index('ix_alerts_open', 'alerts', ['raised_at'], unique=False, postgresql_where=sa.text("status <> 'resolved'"))
    op.create_index('ix_alerts_task_id', 'alerts', ['task_id'], unique=False)
    op.add_column('api_keys', sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('api_keys', sa.Column('label', sa.String(length=64), nullable=True))
    op.add_column('api_keys', sa.Column('default_mode', sa.String(length=8), server_default='auto', nullable=False))
    op.add_column('api_keys', sa.Column('rate_limit', sa.String(length=64), nullable=True))
    op.create_index('ix_api_keys_agent_id', 'api_keys', ['agent_id'], unique=False)
    op.add_column('contact_logs', sa.Column('user_feedback', sa.Text(), nullable=True))
    op.add_column('contact_logs', sa.Column('direction', sa.String(length=8), server_default='outbound', nullable=False))
    op.create_index('ix_events_feed', 'events', ['written_by', 'event_id'], unique=False)
    op.add_column('rejects', sa.Column('state', sa.String(length=16), server_default='open', nullable=False))
    op.add_column('rejects', sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('rejects', sa.Column('handled_by', sa.String(length=64), nullable=True))
    op.add_column('rejects', sa.Column('replayed_as', sa.String(length=64), nullable=True))
    op.add_column('reviews', sa.Column('claimed_by', sa.String(length=64), nullable=True))
    op.add_column('reviews', sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('runs', sa.Column('manual', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('runs', sa.Column('description', sa.Text(), nullable=True))
    op.add_column('runs', sa.Column('created_by', sa.String(length=64), nullable=True))
    op.add_column('runs', sa.Column('digest', sa.LargeBinary(), nullable=True))
    op.create_index('ix_runs_created', 'runs', ['created_at', 'run_id'], unique=False)
    op.drop_constraint(op.f('ck_steps_state'), 'steps')
    op.create_check_constraint(op.f('ck_steps_state'), 'steps', "state IN ('scheduled', 'ready', 'published', 'leased', 'parked', 'offered', 'done', 'failed', 'cancelled')")
    op.drop_index('ix_steps_due', 'steps')
    op.create_index('ix_steps_due', 'steps', ['due_clock', 'due_at'], unique=False, postgresql_where=sa.text("state IN ('scheduled', 'parked', 'offered') AND NOT held"))
    op.create_check_constraint(op.f('ck_contact_logs_direction'), 'contact_logs', "direction IN ('outbound', 'inbound')")
    op.create_check_constraint(op.f('ck_api_keys_default_mode'), 'api_keys', "default_mode IN ('auto', 'manual')")
    op.create_check_constraint(op.f('ck_rejects_state'), 'rejects', "state IN ('open', 'replayed', 'dismissed')")


def downgrade() -> None:
    op.drop_constraint(op.f('ck_rejects_state'), 'rejects')
    op.drop_constraint(op.f('ck_api_keys_default_mode'), 'api_keys')
    op.drop_constraint(op.f('ck_contact_logs_direction'), 'contact_logs')
    op.drop_index('ix_steps_due', 'steps')
    op.create_index('ix_steps_due', 'steps', ['due_clock', 'due_at'], unique=False, postgresql_where=sa.text("state IN ('scheduled', 'parked') AND NOT held"))
    op.drop_constraint(op.f('ck_steps_state'), 'steps')
    op.create_check_constraint(op.f('ck_steps_state'), 'steps', "state IN ('scheduled', 'ready', 'published', 'leased', 'parked', 'done', 'failed', 'cancelled')")
    for index, table in (
        ('ix_runs_created', 'runs'), ('ix_events_feed', 'events'), ('ix_api_keys_agent_id', 'api_keys'),
        ('ix_alerts_task_id', 'alerts'), ('ix_alerts_open', 'alerts'),
    ):
        op.drop_index(index, table)
    for table, columns in (
        ('runs', ('digest', 'created_by', 'description', 'manual')), ('reviews', ('claimed_at', 'claimed_by')),
        ('rejects', ('replayed_as', 'handled_by', 'handled_at', 'state')), ('contact_logs', ('direction', 'user_feedback')),
        ('api_keys', ('rate_limit', 'default_mode', 'label', 'last_used_at')), ('alerts', ('note', 'handled_by')),
    ):
        for column in columns:
            op.drop_column(table, column)
    for table in ('pulses', 'dispatches', 'deliveries', 'subscribers', 'signals', 'idempotency_keys', 'agents'):
        op.drop_table(table)
