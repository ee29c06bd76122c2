"""first tables."""

from alembic import op
import sqlalchemy as sa

from storage.core.columns import TransactionId
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Every business moment below defaults to this clock, so it comes first.
    op.create_table('business_clock',
    sa.Column('only_row', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('database_time', sa.DateTime(timezone=True), nullable=False),
    sa.Column('business_time', sa.DateTime(timezone=True), nullable=False),
    sa.Column('rate', sa.Double(), nullable=False),
    sa.CheckConstraint('only_row', name=op.f('ck_business_clock_only_row')),
    sa.CheckConstraint('rate > 0', name=op.f('ck_business_clock_rate')),
    sa.PrimaryKeyConstraint('only_row', name=op.f('pk_business_clock'))
    )
    op.execute(
        "INSERT INTO business_clock (database_time, business_time, rate) "
        "SELECT now, now, 1 FROM (SELECT clock_timestamp() AS now) AS this_moment"
    )
    op.execute(
        "CREATE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql STABLE AS "
        "'SELECT business_time + (clock_timestamp() - database_time) * rate FROM business_clock'"
    )
    op.create_table('alerts',
    sa.Column('alert_id', sa.String(length=32), nullable=False),
    sa.Column('alert_type', sa.String(length=64), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('escalated_to', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=32), server_default='pending_review', nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('alert_id', name=op.f('pk_alerts'))
    )
    op.create_index('ix_alerts_raised_at', 'alerts', ['raised_at'], unique=False)
    op.create_table('api_keys',
    sa.Column('key_id', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.String(length=32)), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked', sa.Boolean(), server_default='false', nullable=False),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_keys_digest'))
    )
    op.create_table('callbacks',
    sa.Column('callback_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('provider', sa.String(length=32), nullable=False),
    sa.Column('event_id', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('callback_id', name=op.f('pk_callbacks')),
    sa.UniqueConstraint('provider', 'event_id', name=op.f('uq_callbacks_provider_event_id'))
    )
    op.create_index('ix_callbacks_key', 'callbacks', ['key'], unique=False)
    op.create_table('definitions',
    sa.Column('workflow', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('body', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('workflow', 'version', name=op.f('pk_definitions'))
    )
    op.create_table('events',
    sa.Column('event_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('written_by', TransactionId(), server_default=sa.text('pg_current_xact_id()'), nullable=False),
    sa.Column('event_type', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('execution_id', sa.String(length=32), nullable=False),
    sa.Column('stage', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('artifact_ref', sa.String(length=255), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.CheckConstraint("status IN ('running', 'waiting', 'ready', 'failed')", name=op.f('ck_events_status')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_events'))
    )
    op.create_index('ix_events_execution_id', 'events', ['execution_id'], unique=False)
    op.create_table('leases',
    sa.Column('lease_id', sa.String(length=32), nullable=False),
    sa.Column('holder', sa.String(length=128), nullable=False),
    sa.Column('queue', sa.String(length=32), nullable=False),
    sa.Column('acquired_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('lease_id', name=op.f('pk_leases'))
    )
    op.create_table('rejects',
    sa.Column('reject_id', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('problems', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('rejected_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('reject_id', name=op.f('pk_rejects'))
    )
    op.create_index('ix_rejects_rejected_at', 'rejects', ['rejected_at'], unique=False)
    op.create_table('runs',
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('workflow', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('variables', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('open_steps', sa.Integer(), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('created', 'running', 'paused', 'completed', 'failed', 'cancelled')", name=op.f('ck_runs_state')),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_runs')),
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_runs_deadline', 'runs', ['deadline_at'], unique=False, postgresql_where=sa.text("state IN ('running', 'paused')"))
    op.create_index('ix_runs_subject_id', 'runs', ['subject_id'], unique=False)
    op.create_table('system_audit',
    sa.Column('entry_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('what', sa.String(length=64), nullable=False),
    sa.Column('detail', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_system_audit'))
    )
    op.create_table('tasks',
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('order_type', sa.String(length=16), nullable=False),
    sa.Column('status', sa.String(length=32), nullable=False),
    sa.Column('contact_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('max_contacts', sa.Integer(), server_default='4', nullable=False),
    sa.Column('last_contact_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_contact_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('user_intent_l1', sa.String(length=16), nullable=True),
    sa.Column('user_intent_l2', sa.String(length=32), nullable=True),
    sa.Column('confidence', sa.Numeric(precision=5, scale=4), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finish_reason', sa.String(length=32), nullable=True),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('version', sa.Integer(), server_default='0', nullable=False),
    sa.Column('round', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('contacts_total', sa.Integer(), server_default='0', nullable=False),
    sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('mode', sa.String(length=8), server_default='auto', nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('phone', sa.LargeBinary(), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.CheckConstraint("(status = 'closed') = (finished_at IS NOT NULL)", name=op.f('ck_tasks_finished')),
    sa.CheckConstraint("mode IN ('auto', 'manual')", name=op.f('ck_tasks_mode')),
    sa.CheckConstraint("status IN ('pending', 'contacting', 'responded', 'no_response', 'classified', 'action_taken', 'waiting_followup', 'closed')", name=op.f('ck_tasks_status')),
    sa.CheckConstraint('priority BETWEEN 1 AND 10', name=op.f('ck_tasks_priority')),
    sa.PrimaryKeyConstraint('task_id', name=op.f('pk_tasks'))
    )
    op.create_index('idx_tasks_created', 'tasks', ['created_at', 'task_id'], unique=False)
    op.create_index('idx_tasks_next_contact', 'tasks', ['next_contact_time'], unique=False, postgresql_where=sa.text("status <> 'closed'"))
    op.create_index('idx_tasks_status', 'tasks', ['status'], unique=False, postgresql_where=sa.text("status <> 'closed'"))
    op.create_index('uq_tasks_open_order', 'tasks', ['order_id'], unique=True, postgresql_where=sa.text("status <> 'closed'"))
    op.create_table('actions',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('action_type', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=96), nullable=False),
    sa.Column('parameters', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('result', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_actions_task_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_actions')),
    sa.UniqueConstraint('key', name=op.f('uq_actions_key'))
    )
    op.create_index('ix_actions_task_id', 'actions', ['task_id'], unique=False)
    op.create_table('appointments',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('visit_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('engineer_id', sa.String(length=32), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_appointments_task_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_appointments'))
    )
    op.create_index('ix_appointments_task_id', 'appointments', ['task_id'], unique=False)
    op.create_table('audit_logs',
    sa.Column('log_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('event_type', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('action', sa.String(length=32), nullable=True),
    sa.Column('timestamp', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_audit_logs_task_id')),
    sa.PrimaryKeyConstraint('log_id', name=op.f('pk_audit_logs'))
    )
    op.create_index('idx_audit_task_id', 'audit_logs', ['task_id'], unique=False)
    op.create_index('idx_audit_timestamp', 'audit_logs', ['timestamp'], unique=False)
    op.create_table('cancellations',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_cancellations_task_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_cancellations'))
    )
    op.create_index('ix_cancellations_task_id', 'cancellations', ['task_id'], unique=False)
    op.create_table('contact_logs',
    sa.Column('contact_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('contact_method', sa.String(length=16), nullable=False),
    sa.Column('contact_result', sa.String(length=16), server_default='pending', nullable=False),
    sa.Column('duration_seconds', sa.Integer(), nullable=True),
    sa.Column('transcript', sa.Text(), nullable=True),
    sa.Column('recording_url', sa.String(length=255), nullable=True),
    sa.Column('contact_time', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('round', sa.SmallInteger(), nullable=False),
    sa.Column('contact_no', sa.SmallInteger(), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('provider_id', sa.String(length=64), nullable=True),
    sa.Column('script_id', sa.String(length=64), nullable=True),
    sa.Column('concluded_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('sending', 'sent', 'refused', 'concluded')", name=op.f('ck_contact_logs_status')),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_contact_logs_task_id')),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_contact_logs')),
    sa.UniqueConstraint('key', name=op.f('uq_contact_logs_key')),
    sa.UniqueConstraint('task_id', 'round', 'contact_no', name=op.f('uq_contact_logs_task_id_round_contact_no'))
    )
    op.create_table('engineer_notices',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('engineer_id', sa.String(length=32), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_engineer_notices_task_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_engineer_notices'))
    )
    op.create_index('ix_engineer_notices_task_id', 'engineer_notices', ['task_id'], unique=False)
    op.create_table('followups',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('followup_id', sa.String(length=32), nullable=False),
    sa.Column('followup_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_followups_task_id')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_followups')),
    sa.UniqueConstraint('followup_id', name=op.f('uq_followups_followup_id'))
    )
    op.create_index('ix_followups_task_id', 'followups', ['task_id'], unique=False)
    op.create_table('steps',
    sa.Column('step_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.String(length=64), nullable=True),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('queue', sa.String(length=32), nullable=True),
    sa.Column('action', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('held', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('delivery', sa.Integer(), server_default='1', nullable=False),
    sa.Column('tries', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('crashes', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('urgency', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_clock', sa.String(length=8), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_id', sa.String(length=32), nullable=True),
    sa.Column('input', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('output', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('error', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('early_signals', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('caused_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("due_clock IN ('database', 'business')", name=op.f('ck_steps_due_clock')),
    sa.CheckConstraint("state IN ('scheduled', 'ready', 'published', 'leased', 'parked', 'done', 'failed', 'cancelled')", name=op.f('ck_steps_state')),
    sa.ForeignKeyConstraint(['run_id'], ['runs.run_id'], name=op.f('fk_steps_run_id')),
    sa.PrimaryKeyConstraint('step_id', name=op.f('pk_steps')),
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_steps_due', 'steps', ['due_clock', 'due_at'], unique=False, postgresql_where=sa.text("state IN ('scheduled', 'parked') AND NOT held"))
    op.create_index('ix_steps_leased', 'steps', ['lease_id'], unique=False, postgresql_where=sa.text("state = 'leased'"))
    op.create_index('ix_steps_published', 'steps', ['published_at'], unique=False, postgresql_where=sa.text("state = 'published'"))
    op.create_index('ix_steps_ready', 'steps', ['queue', 'urgency'], unique=False, postgresql_where=sa.text("state = 'ready' AND NOT held"))
    op.create_index('ix_steps_run_id', 'steps', ['run_id'], unique=False)
    op.create_table('transitions',
    sa.Column('transition_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('from_state', sa.String(length=32), nullable=False),
    sa.Column('event', sa.String(length=32), nullable=False),
    sa.Column('to_state', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.CheckConstraint("(from_state, event, to_state) IN (('pending', 'task.start', 'contacting'), ('contacting', 'user.responded', 'responded'), ('contacting', 'user.no_answer', 'no_response'), ('no_response', 'contact.retry', 'contacting'), ('no_response', 'contact.max_reached', 'closed'), ('responded', 'triage.complete', 'classified'), ('classified', 'action.execute', 'action_taken'), ('action_taken', 'intent=暂缓', 'waiting_followup'), ('action_taken', 'intent=继续', 'closed'), ('action_taken', 'intent=终止', 'closed'), ('waiting_followup', 'followup.time_reached', 'contacting'), ('no_response', 'user.responded', 'responded'), ('waiting_followup', 'user.responded', 'responded'), ('responded', 'review.recontact', 'contacting'), ('classified', 'review.recontact', 'contacting'), ('pending', 'review.close', 'closed'), ('contacting', 'review.close', 'closed'), ('responded', 'review.close', 'closed'), ('no_response', 'review.close', 'closed'), ('classified', 'review.close', 'closed'), ('action_taken', 'review.close', 'closed'), ('waiting_followup', 'review.close', 'closed'), ('pending', 'task.cancel', 'closed'), ('contacting', 'task.cancel', 'closed'), ('responded', 'task.cancel', 'closed'), ('no_response', 'task.cancel', 'closed'), ('classified', 'task.cancel', 'closed'), ('action_taken', 'task.cancel', 'closed'), ('waiting_followup', 'task.cancel', 'closed'), ('pending', 'task.timeout', 'closed'), ('contacting', 'task.timeout', 'closed'), ('responded', 'task.timeout', 'closed'), ('no_response', 'task.timeout', 'closed'), ('classified', 'task.timeout', 'closed'), ('action_taken', 'task.timeout', 'closed'), ('waiting_followup', 'task.timeout', 'closed'))", name=op.f('ck_transitions_legal_move')),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.task_id'], name=op.f('fk_transitions_task_id')),
    sa.PrimaryKeyConstraint('transition_id', name=op.f('pk_transitions')),
    sa.UniqueConstraint('task_id', 'version', name=op.f('uq_transitions_task_id_version'))
    )
    op.create_table('reviews',
    sa.Column('review_id', sa.String(length=32), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('node', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('context', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('decisions', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='open', nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=True),
    sa.Column('decision', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.CheckConstraint("state IN ('open', 'decided', 'cancelled')", name=op.f('ck_reviews_state')),
    sa.ForeignKeyConstraint(['step_id'], ['steps.step_id'], name=op.f('fk_reviews_step_id')),
    sa.PrimaryKeyConstraint('review_id', name=op.f('pk_reviews')),
    sa.UniqueConstraint('step_id', name=op.f('uq_reviews_step_id'))
    )
    op.create_index('ix_reviews_open', 'reviews', ['opened_at'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_reviews_task_id', 'reviews', ['task_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_reviews_task_id', table_name='reviews')
    op.drop_index('ix_reviews_open', table_name='reviews', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('reviews')
    op.drop_table('transitions')
    op.drop_index('ix_steps_run_id', table_name='steps')
    op.drop_index('ix_steps_ready', table_name='steps', postgresql_where=sa.text("state = 'ready' AND NOT held"))
    op.drop_index('ix_steps_published', table_name='steps', postgresql_where=sa.text("state = 'published'"))
    op.drop_index('ix_steps_leased', table_name='steps', postgresql_where=sa.text("state = 'leased'"))
    op.drop_index('ix_steps_due', table_name='steps', postgresql_where=sa.text("state IN ('scheduled', 'parked') AND NOT held"))
    op.drop_table('steps')
    op.drop_index('ix_followups_task_id', table_name='followups')
    op.drop_table('followups')
    op.drop_index('ix_engineer_notices_task_id', table_name='engineer_notices')
    op.drop_table('engineer_notices')
    op.drop_table('contact_logs')
    op.drop_index('ix_cancellations_task_id', table_name='cancellations')
    op.drop_table('cancellations')
    op.drop_index('idx_audit_timestamp', table_name='audit_logs')
    op.drop_index('idx_audit_task_id', table_name='audit_logs')
    op.drop_table('audit_logs')
    op.drop_index('ix_appointments_task_id', table_name='appointments')
    op.drop_table('appointments')
    op.drop_index('ix_actions_task_id', table_name='actions')
    op.drop_table('actions')
    op.drop_index('uq_tasks_open_order', table_name='tasks', postgresql_where=sa.text("status <> 'closed'"))
    op.drop_index('idx_tasks_status', table_name='tasks', postgresql_where=sa.text("status <> 'closed'"))
    op.drop_index('idx_tasks_next_contact', table_name='tasks', postgresql_where=sa.text("status <> 'closed'"))
    op.drop_index('idx_tasks_created', table_name='tasks')
    op.drop_table('tasks')
    op.drop_table('system_audit')
    op.drop_index('ix_runs_subject_id', table_name='runs')
    op.drop_index('ix_runs_deadline', table_name='runs', postgresql_where=sa.text("state IN ('running', 'paused')"))
    op.drop_table('runs')
    op.drop_index('ix_rejects_rejected_at', table_name='rejects')
    op.drop_table('rejects')
    op.drop_table('leases')
    op.drop_index('ix_events_execution_id', table_name='events')
    op.drop_table('events')
    op.drop_table('definitions')
    op.drop_index('ix_callbacks_key', table_name='callbacks')
    op.drop_table('callbacks')
    op.execute('DROP FUNCTION business_now()')
    op.drop_table('business_clock')
    op.drop_table('api_keys')
    op.drop_index('ix_alerts_raised_at', table_name='alerts')
    op.drop_table('alerts')
