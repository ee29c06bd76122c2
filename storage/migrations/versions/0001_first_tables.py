"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# What a digest covers is declared once, with its table.
from storage.access.tables import SYSTEM_AUDIT
from storage.orders.tables import AUDIT_LOGS

revision = "0001"
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
    # Every event's place in the feed defaults to this.
    op.create_table('feed_origin',
    sa.Column('only_row', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('ahead', sa.BigInteger(), server_default='0', nullable=False),
    sa.CheckConstraint('only_row', name=op.f('ck_feed_origin_only_row')),
    sa.PrimaryKeyConstraint('only_row', name=op.f('pk_feed_origin'))
    )
    op.execute("INSERT INTO feed_origin DEFAULT VALUES")
    op.execute(
        "CREATE FUNCTION feed_order(writer xid8) RETURNS bigint LANGUAGE sql STABLE AS "
        "'SELECT CAST(CAST(writer AS text) AS bigint) + ahead FROM feed_origin'"
    )
    op.create_table('agents',
    sa.Column('agent_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=True),
    sa.Column('role', sa.String(length=32), nullable=False),
    sa.Column('registered_by', sa.String(length=32), nullable=False),
    sa.Column('capabilities', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('most_at_once', sa.Integer(), server_default='1', nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=16), server_default='active', nullable=False),
    sa.Column('working_on', sa.Integer(), server_default='0', nullable=False),
    sa.Column('assigned', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.CheckConstraint("status IN ('active', 'busy', 'draining', 'offline')", name=op.f('ck_agents_status')),
    sa.PrimaryKeyConstraint('agent_id', name=op.f('pk_agents'))
    )
    op.create_table('http_requests',
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('delivery', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='sending', nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('callback', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("state IN ('sending', 'answered', 'unsent')", name=op.f('ck_http_requests_state')),
    sa.PrimaryKeyConstraint('step_id', 'delivery', name=op.f('pk_http_requests')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_http_requests_token_hash'))
    )
    op.create_index('ix_http_requests_run_id', 'http_requests', ['run_id'], unique=False)
    op.create_table('artifacts',
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.LargeBinary(), nullable=True),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('execution_id', sa.String(length=32), nullable=False),
    sa.Column('sensitive', sa.Boolean(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('location', sa.Text(), nullable=True),
    sa.Column('kept_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('report', 'transcript', 'recording', 'diagram', 'form', 'export', 'log')", name=op.f('ck_artifacts_kind')),
    sa.PrimaryKeyConstraint('path', name=op.f('pk_artifacts'))
    )
    op.create_index('ix_artifacts_execution_id', 'artifacts', ['execution_id'], unique=False)
    op.create_index('ix_artifacts_expires_at', 'artifacts', ['expires_at'], unique=False, postgresql_where=sa.text('expires_at IS NOT NULL'))
    op.create_table('reports',
    sa.Column('report_id', sa.String(length=32), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.PrimaryKeyConstraint('report_id', name=op.f('pk_reports'))
    )
    op.create_index('ix_reports_run_id', 'reports', ['run_id'], unique=False)
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
    sa.Column('handled_by', sa.String(length=64), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('alert_id', name=op.f('pk_alerts'))
    )
    op.create_index('ix_alerts_open', 'alerts', ['raised_at'], unique=False, postgresql_where=sa.text("status <> 'resolved'"))
    op.create_index('ix_alerts_raised_at', 'alerts', ['raised_at'], unique=False)
    op.create_index('ix_alerts_task_id', 'alerts', ['task_id'], unique=False)
    op.create_table('users',
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('login', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('roles', postgresql.ARRAY(sa.String(length=32)), nullable=False),
    sa.Column('disabled', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('password', sa.String(length=255), nullable=True),
    sa.Column('code', sa.LargeBinary(), nullable=True),
    sa.Column('code_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('im_code', sa.LargeBinary(), nullable=True),
    sa.Column('im_code_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_users')),
    sa.UniqueConstraint('im_code', name=op.f('uq_users_im_code')),
    sa.UniqueConstraint('login', name=op.f('uq_users_login'))
    )
    op.create_table('api_keys',
    sa.Column('key_id', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.String(length=32)), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('label', sa.String(length=64), nullable=True),
    sa.Column('default_mode', sa.String(length=8), server_default='auto', nullable=False),
    sa.Column('rate_limit', sa.String(length=64), nullable=True),
    sa.Column('user_id', sa.String(length=32), nullable=True),
    sa.Column('is_login', sa.Boolean(), server_default='false', nullable=False),
    sa.CheckConstraint("default_mode IN ('auto', 'manual')", name=op.f('ck_api_keys_default_mode')),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_api_keys_user_id')),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('digest', name=op.f('uq_api_keys_digest'))
    )
    op.create_index('ix_api_keys_agent_id', 'api_keys', ['agent_id'], unique=False)
    op.create_index('ix_api_keys_user_id', 'api_keys', ['user_id'], unique=False, postgresql_where='user_id IS NOT NULL')
    op.create_table('console_sessions',
    sa.Column('session_id', sa.String(length=32), nullable=False),
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_console_sessions_user_id')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_console_sessions')),
    sa.UniqueConstraint('digest', name=op.f('uq_console_sessions_digest'))
    )
    op.create_index('ix_console_sessions_user_id', 'console_sessions', ['user_id'], unique=False)
    op.create_table('im_identities',
    sa.Column('identity_id', sa.String(length=32), nullable=False),
    sa.Column('provider', sa.String(length=16), nullable=False),
    sa.Column('operator_id', sa.String(length=128), nullable=False),
    sa.Column('user_id', sa.String(length=32), nullable=False),
    sa.Column('bound_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("provider IN ('feishu', 'wecom', 'dingtalk')", name=op.f('ck_im_identities_provider')),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_im_identities_user_id')),
    sa.PrimaryKeyConstraint('identity_id', name=op.f('pk_im_identities')),
    sa.UniqueConstraint('provider', 'operator_id', name=op.f('uq_im_identities_provider_operator_id'))
    )
    op.create_index('ix_im_identities_user_id', 'im_identities', ['user_id'], unique=False)
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
    op.create_table('contact_stops',
    sa.Column('stop_id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=True),
    sa.Column('region', sa.String(length=64), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('stopped_by', sa.String(length=64), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('stop_id', name=op.f('pk_contact_stops'))
    )
    op.create_index('ix_contact_stops_open', 'contact_stops', ['stopped_at'], unique=False, postgresql_where=sa.text('lifted_at IS NULL'))
    op.create_table('definitions',
    sa.Column('workflow', sa.String(length=128), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('body', postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('activated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('draft', 'active', 'retired')", name=op.f('ck_definitions_state')),
    sa.PrimaryKeyConstraint('workflow', 'version', name=op.f('pk_definitions'))
    )
    op.create_table('do_not_call',
    sa.Column('entry_id', sa.String(length=32), nullable=False),
    sa.Column('phone_index', sa.LargeBinary(), nullable=False),
    sa.Column('masked', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('added_by', sa.String(length=64), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_do_not_call'))
    )
    op.create_index('ix_do_not_call_phone_index', 'do_not_call', ['phone_index'], unique=False, postgresql_where=sa.text('lifted_at IS NULL'))
    op.create_table('engineer_capacity',
    sa.Column('region', sa.String(length=64), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('booked', sa.Integer(), server_default='0', nullable=False),
    sa.CheckConstraint('booked BETWEEN 0 AND capacity', name=op.f('ck_engineer_capacity_booked')),
    sa.PrimaryKeyConstraint('region', 'day', name=op.f('pk_engineer_capacity'))
    )
    op.create_table('events',
    sa.Column('event_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('feed_order', sa.BigInteger(), server_default=sa.text('feed_order(pg_current_xact_id())'), nullable=False),
    sa.Column('event_type', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('execution_id', sa.String(length=32), nullable=False),
    sa.Column('stage', sa.String(length=32), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('artifact_ref', sa.String(length=255), nullable=True),
    sa.Column('interrupt_id', sa.String(length=32), nullable=True),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trace_id', sa.String(length=32), server_default=sa.text("replace(CAST(gen_random_uuid() AS text), '-', '')"), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("status IN ('running', 'waiting', 'ready', 'failed')", name=op.f('ck_events_status')),
    sa.PrimaryKeyConstraint('event_id', 'created_at', name=op.f('pk_events')),
    postgresql_partition_by='RANGE (created_at)'
    )
    op.create_index('ix_events_of_run', 'events', ['execution_id', 'feed_order', 'event_id'], unique=False)
    op.create_index('ix_events_feed', 'events', ['feed_order', 'event_id'], unique=False)
    op.create_table('figure_feeds',
    sa.Column('feed', sa.String(length=32), nullable=False),
    sa.Column('place', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('again', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('walked', sa.String(length=96), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('feed', name=op.f('pk_figure_feeds')),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('figure_pending',
    sa.Column('feed', sa.String(length=32), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('counted', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('feed', 'position', name=op.f('pk_figure_pending'))
    )
    op.create_table('figures',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('labelled', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Numeric(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'labelled', name=op.f('pk_figures')),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('forgotten_numbers',
    sa.Column('phone_index', sa.LargeBinary(), nullable=False),
    sa.Column('forgotten_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('phone_index', name=op.f('pk_forgotten_numbers'))
    )
    op.create_table('idempotency_keys',
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('headers', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.PrimaryKeyConstraint('agent_id', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_index('ix_idempotency_keys_created_at', 'idempotency_keys', ['created_at'], unique=False)
    op.create_table('intent_labels',
    sa.Column('label_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=False),
    sa.Column('contact_id', sa.String(length=32), nullable=True),
    sa.Column('words', sa.LargeBinary(), nullable=False),
    sa.Column('predicted_level2', sa.String(length=32), nullable=False),
    sa.Column('confidence', sa.Numeric(precision=5, scale=4), nullable=False),
    sa.Column('automatic', sa.Boolean(), nullable=False),
    sa.Column('model', sa.String(length=64), nullable=False),
    sa.Column('level2', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('labelled_by', sa.String(length=64), nullable=False),
    sa.Column('labelled_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.CheckConstraint("source IN ('review', 'shadow')", name=op.f('ck_intent_labels_source')),
    sa.PrimaryKeyConstraint('label_id', name=op.f('pk_intent_labels'))
    )
    op.create_index('ix_intent_labels_labelled_at', 'intent_labels', ['labelled_at'], unique=False)
    op.create_table('join_arrivals',
    sa.Column('arrival_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('scope_id', sa.BigInteger(), nullable=False),
    sa.Column('node', sa.String(length=128), nullable=False),
    sa.Column('flow', sa.String(length=128), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=True),
    sa.Column('given', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('passed', sa.Boolean(), server_default='false', nullable=False),
    sa.PrimaryKeyConstraint('arrival_id', name=op.f('pk_join_arrivals'))
    )
    op.create_table('inbox',
    sa.Column('entry_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('key', sa.String(length=256), server_default='', nullable=False),
    sa.Column('payload', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('source_id', sa.String(length=128), nullable=True),
    sa.Column('depth', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('sent_by', sa.String(length=64), nullable=True),
    sa.Column('trace_id', sa.String(length=32), server_default=sa.text("replace(CAST(gen_random_uuid() AS text), '-', '')"), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.String(length=16), server_default='waiting', nullable=False),
    sa.Column('outcome', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('taken_by', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('event', 'message', 'signal', 'webhook', 'run_ended')", name=op.f('ck_inbox_kind')),
    sa.CheckConstraint("state IN ('waiting', 'kept', 'taken', 'expired', 'refused')", name=op.f('ck_inbox_state')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_inbox'))
    )
    op.create_index('uq_inbox_source', 'inbox', ['kind', 'name', 'source_id'], unique=True, postgresql_where=sa.text('source_id IS NOT NULL'))
    op.create_index('ix_inbox_waiting', 'inbox', ['entry_id'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('ix_inbox_kept', 'inbox', ['name', 'key', 'entry_id'], unique=False, postgresql_where=sa.text("state = 'kept'"))
    op.create_index('ix_inbox_expiring', 'inbox', ['expires_at'], unique=False, postgresql_where=sa.text("state = 'kept'"))
    op.create_table('schedules',
    sa.Column('workflow', sa.String(length=64), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('cron', sa.String(length=100), nullable=False),
    sa.Column('timezone', sa.String(length=64), nullable=False),
    sa.Column('next_due', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_due', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_run_id', sa.String(length=32), nullable=True),
    sa.Column('queued', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.PrimaryKeyConstraint('workflow', 'position', name=op.f('pk_schedules'))
    )
    op.create_index('ix_schedules_due', 'schedules', ['next_due'], unique=False)
    op.create_index('ix_schedules_queued', 'schedules', ['workflow', 'position'], unique=False, postgresql_where=sa.text("queued <> '[]'"))
    op.create_table('trigger_feed',
    sa.Column('only_row', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('feed_order', sa.BigInteger(), nullable=False),
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('only_row', name=op.f('ck_trigger_feed_only_row')),
    sa.PrimaryKeyConstraint('only_row', name=op.f('pk_trigger_feed'))
    )
    op.create_index('ix_join_arrivals_place', 'join_arrivals', ['run_id', 'node', 'scope_id'], unique=False)
    op.create_table('scopes',
    sa.Column('scope_id', sa.BigInteger(), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('node', sa.String(length=128), nullable=False),
    sa.Column('around', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('open_steps', sa.Integer(), nullable=False),
    sa.Column('bound', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('elements', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('begun', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('scope_id', name=op.f('pk_scopes')),
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_scopes_run_id', 'scopes', ['run_id'], unique=False)
    op.create_table('variable_writes',
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('value', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('node', sa.String(length=128), nullable=True),
    sa.Column('by', sa.String(length=64), nullable=True),
    sa.Column('written_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_variable_writes'))
    )
    op.create_index('ix_variable_writes_run_id', 'variable_writes', ['run_id', 'position'], unique=False)
    op.create_table('slots',
    sa.Column('slot_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('name', sa.String(length=512), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('of_run', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('most', sa.Integer(), nullable=True),
    sa.Column('when_full', sa.String(length=16), nullable=False),
    sa.Column('rate', sa.Integer(), nullable=True),
    sa.Column('rate_seconds', sa.Double(), nullable=True),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'held', 'spent')", name=op.f('ck_slots_state')),
    sa.CheckConstraint("when_full IN ('queue', 'skip', 'cancel_running')", name=op.f('ck_slots_when_full')),
    sa.PrimaryKeyConstraint('slot_id', name=op.f('pk_slots'))
    )
    op.create_index('ix_slots_name', 'slots', ['name', 'slot_id'], unique=False)
    op.create_index('ix_slots_run_id', 'slots', ['run_id'], unique=False)
    op.create_index('ix_slots_step_id', 'slots', ['step_id'], unique=False)
    op.create_index('ix_slots_waiting', 'slots', ['slot_id'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('run_keys',
    sa.Column('workflow', sa.String(length=128), nullable=False),
    sa.Column('key', sa.String(length=256), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('workflow', 'key', name=op.f('pk_run_keys'))
    )
    op.create_index('ix_run_keys_run_id', 'run_keys', ['run_id'], unique=False)
    op.create_table('subscriptions',
    sa.Column('subscription_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=True),
    sa.Column('place', sa.SmallInteger(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=True),
    sa.Column('key', sa.String(length=256), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('message', 'signal', 'timer', 'condition', 'error', 'escalation', 'timeout')", name=op.f('ck_subscriptions_kind')),
    sa.PrimaryKeyConstraint('subscription_id', name=op.f('pk_subscriptions'))
    )
    op.create_index('ix_subscriptions_due', 'subscriptions', ['due_at'], unique=False, postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('ix_subscriptions_name', 'subscriptions', ['kind', 'name', 'key', 'subscription_id'], unique=False, postgresql_where=sa.text('name IS NOT NULL'))
    op.create_index('ix_subscriptions_run_id', 'subscriptions', ['run_id'], unique=False)
    op.create_index('ix_subscriptions_step_id', 'subscriptions', ['step_id'], unique=False)
    op.create_table('leases',
    sa.Column('lease_id', sa.String(length=32), nullable=False),
    sa.Column('holder', sa.String(length=128), nullable=False),
    sa.Column('queue', sa.String(length=32), nullable=False),
    sa.Column('acquired_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('lease_id', name=op.f('pk_leases'))
    )
    op.create_table('notice_roles',
    sa.Column('role', sa.String(length=32), nullable=False),
    sa.Column('messenger', sa.String(length=16), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('role', name=op.f('pk_notice_roles'))
    )
    op.create_table('notices',
    sa.Column('notice_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('to_role', sa.String(length=32), nullable=False),
    sa.Column('recipient', sa.String(length=32), nullable=True),
    sa.Column('interrupt_id', sa.String(length=32), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('trace_id', sa.String(length=32), server_default=sa.text("replace(CAST(gen_random_uuid() AS text), '-', '')"), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='waiting', nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('provider', sa.String(length=32), nullable=True),
    sa.Column('provider_id', sa.String(length=128), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('run_id', sa.String(length=32), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name=op.f('ck_notices_state')),
    sa.PrimaryKeyConstraint('notice_id', name=op.f('pk_notices')),
    sa.UniqueConstraint('key', name=op.f('uq_notices_key'))
    )
    op.create_index('ix_notices_unassigned', 'notices', ['notice_id'], unique=False, postgresql_where=sa.text("state = 'waiting' AND run_id IS NULL"))
    op.create_index('ix_notices_waiting', 'notices', ['to_role'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('pulses',
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('steady_since', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_pulses')),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('rejects',
    sa.Column('reject_id', sa.String(length=32), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('problems', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('rejected_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='open', nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('handled_by', sa.String(length=64), nullable=True),
    sa.Column('replayed_as', sa.String(length=64), nullable=True),
    sa.Column('order_id', sa.String(length=64), nullable=True),
    sa.Column('envelope', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=True),
    sa.Column('times', sa.Integer(), server_default='1', nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("state IN ('open', 'replayed', 'dismissed')", name=op.f('ck_rejects_state')),
    sa.PrimaryKeyConstraint('reject_id', name=op.f('pk_rejects'))
    )
    op.create_index('ix_rejects_digest', 'rejects', ['digest'], unique=True, postgresql_where=sa.text("state = 'open' AND payload <> ''"))
    op.create_index('ix_rejects_rejected_at', 'rejects', ['rejected_at'], unique=False)
    op.create_table('retention_cursors',
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('table_name', sa.String(length=32), nullable=False),
    sa.Column('block', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('removed', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('kind', 'table_name', name=op.f('pk_retention_cursors'))
    )
    op.create_table('runs',
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('workflow', sa.String(length=136), nullable=False),
    sa.Column('version', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('variables', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('open_steps', sa.Integer(), nullable=False),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('trace_id', sa.String(length=32), server_default=sa.text("replace(CAST(gen_random_uuid() AS text), '-', '')"), nullable=False),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('manual', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('created_by', sa.String(length=64), nullable=True),
    sa.Column('begun', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('written', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('steps_made', sa.Integer(), server_default='0', nullable=False),
    sa.Column('ends_as', sa.String(length=16), nullable=True),
    sa.Column('output', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('parent_step_id', sa.BigInteger(), nullable=True),
    sa.Column('reported', sa.Boolean(), nullable=True),
    sa.Column('cancel_asked', sa.Boolean(), nullable=True),
    sa.Column('depth', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=True),
    sa.Column('migrations', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('created', 'running', 'paused', 'completed', 'failed', 'cancelled')", name=op.f('ck_runs_state')),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_runs')),
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_runs_created', 'runs', ['created_at', 'run_id'], unique=False)
    op.create_index('ix_runs_parent', 'runs', ['parent_step_id'], unique=False, postgresql_where=sa.text('parent_step_id IS NOT NULL'))
    op.create_index('ix_runs_unreported', 'runs', ['state'], unique=False, postgresql_where=sa.text('NOT reported'))
    op.create_index('ix_runs_cancel_asked', 'runs', ['state'], unique=False, postgresql_where=sa.text('cancel_asked'))
    op.create_index('ix_runs_deadline', 'runs', ['deadline_at'], unique=False, postgresql_where=sa.text("state IN ('running', 'paused')"))
    op.create_index('ix_runs_rare_states', 'runs', ['state', 'created_at', 'run_id'], unique=False, postgresql_where=sa.text("state IN ('paused', 'failed', 'cancelled')"))
    op.create_index('ix_runs_new', 'runs', ['created_at', 'run_id'], unique=False, postgresql_where=sa.text("state = 'running' AND NOT begun"))
    op.create_index('ix_runs_urgent', 'runs', ['created_at', 'run_id'], unique=False, postgresql_where=sa.text('priority > 5'))
    op.create_index('ix_runs_subject_id', 'runs', ['subject_id'], unique=False)
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
    sa.Column('fed_order', sa.BigInteger(), nullable=False),
    sa.Column('fed_event', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('subscriber_id', name=op.f('pk_subscribers'))
    )
    op.create_table('system_audit',
    sa.Column('entry_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('what', sa.String(length=64), nullable=False),
    sa.Column('detail', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('key_id', sa.String(length=32), nullable=True),
    sa.Column('label', sa.String(length=32), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    *SYSTEM_AUDIT.columns(),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_system_audit'))
    )
    op.create_index('ix_system_audit_task_id', 'system_audit', [sa.literal_column("(detail ->> 'task_id')"), 'entry_id'], unique=False, postgresql_where=sa.text("(detail ->> 'task_id') IS NOT NULL"))
    op.create_table('audit_seals',
    sa.Column('seal_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('table_name', sa.String(length=32), nullable=False),
    sa.Column('first_position', sa.BigInteger(), nullable=False),
    sa.Column('last_position', sa.BigInteger(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('rows_digest', sa.LargeBinary(), nullable=False),
    sa.Column('marks', sa.LargeBinary(), nullable=False),
    sa.Column('previous', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('seal_id', name=op.f('pk_audit_seals')),
    sa.UniqueConstraint('digest', name=op.f('uq_audit_seals_digest')),
    sa.UniqueConstraint('previous', name=op.f('uq_audit_seals_previous'))
    )
    op.create_index('ix_audit_seals_of_table', 'audit_seals', ['table_name', 'last_position'], unique=False)
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
    sa.Column('phone_index', sa.LargeBinary(), nullable=True),
    sa.Column('personal', sa.LargeBinary(), nullable=True),
    sa.Column('followup_rule', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.CheckConstraint("(status = 'closed') = (finished_at IS NOT NULL)", name=op.f('ck_tasks_finished')),
    sa.CheckConstraint("mode IN ('auto', 'manual')", name=op.f('ck_tasks_mode')),
    sa.CheckConstraint("status IN ('pending', 'contacting', 'responded', 'no_response', 'classified', 'action_taken', 'waiting_followup', 'closed')", name=op.f('ck_tasks_status')),
    sa.CheckConstraint('priority BETWEEN 1 AND 10', name=op.f('ck_tasks_priority')),
    sa.PrimaryKeyConstraint('task_id', name=op.f('pk_tasks')),
    postgresql_with={'fillfactor': '60'}
    )
    op.create_index('idx_tasks_created', 'tasks', ['created_at', 'task_id'], unique=False)
    op.create_index('ix_tasks_customer', 'tasks', [sa.literal_column("(metadata ->> 'customer_id')")], unique=False)
    op.create_index('ix_tasks_order_id', 'tasks', ['order_id'], unique=False)
    op.create_index('ix_tasks_phone_index', 'tasks', ['phone_index'], unique=False, postgresql_where=sa.text('phone_index IS NOT NULL'))
    op.create_index('ix_tasks_position', 'tasks', ['position'], unique=False)
    op.create_index('uq_tasks_open_order', 'tasks', ['order_id'], unique=True, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_table('actions',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('action_type', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=96), nullable=False),
    sa.Column('parameters', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('result', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_actions')),
    sa.UniqueConstraint('key', name=op.f('uq_actions_key'))
    )
    op.create_index('ix_actions_action_type', 'actions', ['action_type', 'at'], unique=False)
    op.create_index('ix_actions_task_id', 'actions', ['task_id'], unique=False)
    op.create_table('appointments',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('visit_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('engineer_id', sa.String(length=32), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('region', sa.String(length=64), nullable=True),
    sa.Column('day', sa.Date(), nullable=True),
    sa.Column('slot', sa.String(length=64), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_appointments'))
    )
    op.create_index('ix_appointments_order_id', 'appointments', ['order_id'], unique=False, postgresql_where=sa.text('region IS NOT NULL AND released_at IS NULL'))
    op.create_index('ix_appointments_task_id', 'appointments', ['task_id'], unique=False)
    op.create_table('audit_logs',
    sa.Column('log_id', sa.String(length=32, collation='C'), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('event_type', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('action', sa.String(length=32), nullable=True),
    sa.Column('timestamp', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('key_id', sa.String(length=32), nullable=True),
    sa.Column('label', sa.String(length=32), nullable=True),
    *AUDIT_LOGS.columns(),
    sa.PrimaryKeyConstraint('log_id', name=op.f('pk_audit_logs')),
    postgresql_partition_by='RANGE (log_id)'
    )
    op.create_index('ix_audit_logs_rare_agents', 'audit_logs', [sa.literal_column("NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(agent_id, 'orchestrator'), 'contact_agent'), 'triage_agent'), 'action_agent'), 'audit_agent')"), 'timestamp', 'position'], unique=False, postgresql_where=sa.text("NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(agent_id, 'orchestrator'), 'contact_agent'), 'triage_agent'), 'action_agent'), 'audit_agent') IS NOT NULL"))
    op.create_index('ix_audit_logs_rare_events', 'audit_logs', [sa.literal_column("NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(event_type, 'task_received'), 'task_validated'), 'contact_initiated'), 'contact_result'), 'intent_classified'), 'action_executed'), 'task_completed')"), 'timestamp', 'position'], unique=False, postgresql_where=sa.text("NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(NULLIF(event_type, 'task_received'), 'task_validated'), 'contact_initiated'), 'contact_result'), 'intent_classified'), 'action_executed'), 'task_completed') IS NOT NULL"))
    op.create_index('ix_audit_logs_position', 'audit_logs', ['position'], unique=False)
    op.create_index('idx_audit_task_id', 'audit_logs', ['task_id'], unique=False)
    op.create_index('idx_audit_timestamp', 'audit_logs', ['timestamp', 'position'], unique=False)
    op.create_table('cancellations',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
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
    sa.Column('user_feedback', sa.Text(), nullable=True),
    sa.Column('phone_index', sa.LargeBinary(), nullable=True),
    sa.Column('script_version', sa.String(length=32), nullable=True),
    sa.Column('direction', sa.String(length=8), server_default='outbound', nullable=False),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.CheckConstraint("direction IN ('outbound', 'inbound')", name=op.f('ck_contact_logs_direction')),
    sa.CheckConstraint("status IN ('sending', 'sent', 'refused', 'concluded')", name=op.f('ck_contact_logs_status')),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_contact_logs')),
    sa.UniqueConstraint('key', name=op.f('uq_contact_logs_key')),
    sa.UniqueConstraint('task_id', 'round', 'contact_no', name=op.f('uq_contact_logs_task_id_round_contact_no'))
    )
    op.create_index('ix_contact_logs_contact_time', 'contact_logs', ['contact_time'], unique=False, postgresql_using='brin', postgresql_with={'pages_per_range': 16, 'autosummarize': True})
    op.create_index('ix_contact_logs_number', 'contact_logs', ['phone_index', 'contact_time'], unique=False, postgresql_where=sa.text('phone_index IS NOT NULL'))
    op.create_index('ix_contact_logs_position', 'contact_logs', ['position'], unique=False)
    op.create_index('ix_contact_logs_reference', 'contact_logs', [sa.literal_column('"left"(md5(key::text), 15)')], unique=False)
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
    sa.Column('run_id', sa.String(length=32), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name=op.f('ck_deliveries_state')),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.subscriber_id'], name=op.f('fk_deliveries_subscriber_id')),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('subscriber_id', 'event_id', name=op.f('uq_deliveries_subscriber_id_event_id'))
    )
    op.create_index('ix_deliveries_in_order', 'deliveries', ['subscriber_id', 'task_id', 'event_id'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('ix_deliveries_task_id', 'deliveries', ['task_id'], unique=False)
    op.create_index('ix_deliveries_unassigned', 'deliveries', ['event_id'], unique=False, postgresql_where=sa.text("state = 'waiting' AND run_id IS NULL"))
    op.create_index('ix_deliveries_waiting', 'deliveries', ['subscriber_id', 'due_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('engineer_notices',
    sa.Column('action_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('order_id', sa.String(length=32), nullable=False),
    sa.Column('engineer_id', sa.String(length=32), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
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
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_followups')),
    sa.UniqueConstraint('followup_id', name=op.f('uq_followups_followup_id'))
    )
    op.create_index('ix_followups_task_id', 'followups', ['task_id'], unique=False)
    op.create_table('steps',
    sa.Column('step_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('subject_id', sa.String(length=64), nullable=True),
    sa.Column('node', sa.String(length=128), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('queue', sa.String(length=32), nullable=True),
    sa.Column('action', sa.String(length=64), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('held', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('delivery', sa.Integer(), server_default='1', nullable=False),
    sa.Column('tries', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('crashes', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('priority', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('urgency', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ready_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_clock', sa.String(length=8), nullable=True),
    sa.Column('late_by', sa.Interval(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_id', sa.String(length=32), nullable=True),
    sa.Column('input', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('output', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('error', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('early_signals', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('wanted', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('progress', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('caused_by', sa.BigInteger(), nullable=True),
    sa.Column('scope_id', sa.BigInteger(), nullable=True),
    sa.Column('element', sa.Integer(), nullable=True),
    sa.Column('referenced', sa.Boolean(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("due_clock IN ('database', 'business')", name=op.f('ck_steps_due_clock')),
    sa.CheckConstraint("state IN ('scheduled', 'ready', 'published', 'offered', 'leased', 'parked', 'done', 'failed', 'cancelled')", name=op.f('ck_steps_state')),
    sa.PrimaryKeyConstraint('step_id', name=op.f('pk_steps')),
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_steps_due', 'steps', ['due_clock', 'due_at'], unique=False, postgresql_where=sa.text("state IN ('scheduled', 'offered', 'parked') AND NOT held"))
    op.create_index('ix_steps_leased', 'steps', ['lease_id'], unique=False, postgresql_where=sa.text("state = 'leased'"))
    op.create_index('ix_steps_offered', 'steps', [sa.literal_column("coalesce((wanted -> 'capabilities') ->> 0, '')"), 'urgency'], unique=False, postgresql_where=sa.text("state = 'offered' AND wanted IS NOT NULL AND NOT held"))
    op.create_index('ix_steps_published', 'steps', ['published_at'], unique=False, postgresql_where=sa.text("state = 'published'"))
    op.create_index('ix_steps_ready', 'steps', ['queue', 'urgency'], unique=False, postgresql_where=sa.text("state = 'ready' AND NOT held"))
    op.create_index('ix_steps_run_id', 'steps', ['run_id'], unique=False)
    op.create_index('ix_steps_scope', 'steps', ['scope_id', 'element'], unique=False, postgresql_where=sa.text('scope_id IS NOT NULL'))
    op.create_index('ix_steps_referenced', 'steps', ['run_id', 'node', 'step_id'], unique=False, postgresql_where=sa.text('referenced'))
    op.create_table('transitions',
    sa.Column('transition_id', sa.String(length=32, collation='C'), nullable=False),
    sa.Column('task_id', sa.String(length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('from_state', sa.String(length=32), nullable=False),
    sa.Column('event', sa.String(length=32), nullable=False),
    sa.Column('to_state', sa.String(length=32), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('metadata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.CheckConstraint("(from_state, event, to_state) IN (('pending', 'task.start', 'contacting'), ('contacting', 'user.responded', 'responded'), ('contacting', 'user.no_answer', 'no_response'), ('no_response', 'contact.retry', 'contacting'), ('no_response', 'contact.max_reached', 'closed'), ('responded', 'triage.complete', 'classified'), ('classified', 'action.execute', 'action_taken'), ('action_taken', 'intent=暂缓', 'waiting_followup'), ('action_taken', 'intent=继续', 'closed'), ('action_taken', 'intent=终止', 'closed'), ('waiting_followup', 'followup.time_reached', 'contacting'), ('no_response', 'user.responded', 'responded'), ('waiting_followup', 'user.responded', 'responded'), ('responded', 'review.recontact', 'contacting'), ('classified', 'review.recontact', 'contacting'), ('pending', 'review.close', 'closed'), ('contacting', 'review.close', 'closed'), ('responded', 'review.close', 'closed'), ('no_response', 'review.close', 'closed'), ('classified', 'review.close', 'closed'), ('action_taken', 'review.close', 'closed'), ('waiting_followup', 'review.close', 'closed'), ('pending', 'task.cancel', 'closed'), ('contacting', 'task.cancel', 'closed'), ('responded', 'task.cancel', 'closed'), ('no_response', 'task.cancel', 'closed'), ('classified', 'task.cancel', 'closed'), ('action_taken', 'task.cancel', 'closed'), ('waiting_followup', 'task.cancel', 'closed'), ('pending', 'task.timeout', 'closed'), ('contacting', 'task.timeout', 'closed'), ('responded', 'task.timeout', 'closed'), ('no_response', 'task.timeout', 'closed'), ('classified', 'task.timeout', 'closed'), ('action_taken', 'task.timeout', 'closed'), ('waiting_followup', 'task.timeout', 'closed'))", name=op.f('ck_transitions_legal_move')),
    sa.PrimaryKeyConstraint('transition_id', name=op.f('pk_transitions')),
    postgresql_partition_by='RANGE (transition_id)'
    )
    op.create_index('ix_transitions_task_id_version', 'transitions', ['task_id', 'version'], unique=False)
    op.create_index('ix_transitions_position', 'transitions', ['position'], unique=False)
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
    op.create_table('reviews',
    sa.Column('review_id', sa.String(length=32), nullable=False),
    sa.Column('step_id', sa.BigInteger(), nullable=False),
    sa.Column('run_id', sa.String(length=32), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=True),
    sa.Column('node', sa.String(length=128), nullable=False),
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
    sa.Column('claimed_by', sa.String(length=64), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('position', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('role', sa.Text(), nullable=True),
    sa.Column('person', sa.Text(), nullable=True),
    sa.Column('not_by', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('quorum', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('form', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('escalations', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('escalated', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('flagged', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('rank_at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.Column('workflow', sa.String(length=136), server_default='', nullable=False),
    sa.Column('suggestion', sa.String(length=64), server_default='', nullable=False),
    sa.Column('product', sa.String(length=64), server_default='', nullable=False),
    sa.Column('region', sa.String(length=64), server_default='', nullable=False),
    sa.CheckConstraint("state IN ('open', 'decided', 'cancelled')", name=op.f('ck_reviews_state')),
    sa.CheckConstraint('quorum > 0', name=op.f('ck_reviews_quorum')),
    sa.ForeignKeyConstraint(['step_id'], ['steps.step_id'], name=op.f('fk_reviews_step_id')),
    sa.PrimaryKeyConstraint('review_id', name=op.f('pk_reviews')),
    sa.UniqueConstraint('step_id', name=op.f('uq_reviews_step_id'))
    )
    op.create_index('ix_reviews_claimed', 'reviews', ['opened_at', 'review_id'], unique=False, postgresql_where=sa.text("state = 'open' AND claimed_at IS NOT NULL"))
    op.create_index('ix_reviews_deadline', 'reviews', ['deadline_at', 'rank_at', 'review_id'], unique=False, postgresql_where=sa.text("state = 'open' AND NOT flagged AND deadline_at IS NOT NULL"))
    op.create_index('ix_reviews_due', 'reviews', ['due_at'], unique=False, postgresql_where=sa.text("state = 'open' AND due_at IS NOT NULL"))
    op.create_index('ix_reviews_opened_at', 'reviews', ['opened_at', 'review_id'], unique=False)
    op.create_index('ix_reviews_position', 'reviews', ['position'], unique=False)
    op.create_index('ix_reviews_reason', 'reviews', ['reason', 'opened_at', 'review_id'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_reviews_state', 'reviews', ['state', 'opened_at', 'review_id'], unique=False)
    op.create_index('ix_reviews_task_id', 'reviews', ['task_id'], unique=False)
    op.create_index('ix_reviews_worklist', 'reviews', [sa.text('flagged DESC'), 'rank_at', 'review_id'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_table('held_decisions',
    sa.Column('hold_id', sa.String(length=32), nullable=False),
    sa.Column('review_id', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='held', nullable=False),
    sa.Column('decision', sa.String(length=128), nullable=False),
    sa.Column('by', sa.String(length=64), nullable=False),
    sa.Column('roles', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('has_login', sa.Boolean(), nullable=False),
    sa.Column('key_id', sa.String(length=32), nullable=True),
    sa.Column('label', sa.String(length=32), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('seen', sa.BigInteger(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('refusal', sa.String(length=64), nullable=True),
    sa.CheckConstraint("state IN ('held', 'applied', 'undone', 'refused')", name=op.f('ck_held_decisions_state')),
    sa.ForeignKeyConstraint(['review_id'], ['reviews.review_id'], name=op.f('fk_held_decisions_review_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hold_id', name=op.f('pk_held_decisions')),
    sa.UniqueConstraint('review_id', 'key', name=op.f('uq_held_decisions_review_id_key'))
    )
    op.create_index('ix_held_decisions_due', 'held_decisions', ['held_until'], unique=False, postgresql_where=sa.text("state = 'held'"))
    op.create_index('uq_held_decisions_held', 'held_decisions', ['review_id'], unique=True, postgresql_where=sa.text("state = 'held'"))
    op.create_table('review_answers',
    sa.Column('review_id', sa.String(length=32), nullable=False),
    sa.Column('person', sa.String(length=64), nullable=False),
    sa.Column('decision', sa.String(length=128), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('form', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('business_now()'), nullable=False),
    sa.ForeignKeyConstraint(['review_id'], ['reviews.review_id'], name=op.f('fk_review_answers_review_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('review_id', 'person', name=op.f('pk_review_answers'))
    )
    # Figures without what a customer may be known by: the role that reads sees these, and not the columns behind.
    op.execute(
        """
        CREATE VIEW audit_figures AS SELECT task_id, event_type, "timestamp", metadata ->> 'user_intent_l1' AS intent,
            CASE WHEN jsonb_typeof(metadata -> 'confidence') = 'number'
                THEN CAST(metadata ->> 'confidence' AS numeric) END AS confidence,
            metadata -> 'automatic' = 'true' AS automatic
        FROM audit_logs
        """
    )
    op.execute(
        "CREATE VIEW step_figures AS SELECT run_id, kind, state, started_at, finished_at, error ->> 'code' AS code "
        "FROM steps"
    )
    op.execute(_HISTORY_BOUND)
    for function in (_MAKE_MONTH, _DROP_MONTH, _ANALYZE):
        op.execute(function)
    for function in _FUNCTIONS_OF_MONTHS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    for table in ("transitions", "audit_logs", "events"):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        op.execute(
            f"SELECT make_history_month('{table}', CAST(first AS date)) FROM (SELECT date_trunc('month', "
            "clock_timestamp() AT TIME ZONE 'UTC') AS this) AS now, "
            "generate_series(this, this + interval '2 months', interval '1 month') AS first"
        )


# Where a day begins in the ids of a table, or in the moments of one; an id begins with its milliseconds since 1970.
_HISTORY_BOUND = """
    CREATE FUNCTION history_bound(kind text, day date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE kind WHEN 'events' THEN to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00'
        ELSE CASE kind WHEN 'transitions' THEN 'txn_' WHEN 'audit_logs' THEN 'LOG' WHEN 'runs' THEN 'exec_' END
            || lpad(to_hex(CAST(extract(epoch FROM day) * 1000 AS bigint)), 11, '0') END
"""
# The owner makes and drops what the caller names, and nothing but a month of these tables. Everybody who uses the
# table waits behind whoever waits for its locks, so nobody waits long.
_AS_OWNER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms'"
_CHECKED = """
    IF (parent IN ('transitions', 'audit_logs', 'events') AND month = date_trunc('month', month)) IS NOT TRUE THEN
        RAISE EXCEPTION '% has no month %', parent, month;
    END IF;
"""
# How many rows of the month stood in the default partition and were moved; null where there is such a month.
_MAKE_MONTH = f"""
    CREATE FUNCTION make_history_month(parent text, month date) RETURNS bigint LANGUAGE plpgsql {_AS_OWNER} AS $$
    DECLARE
        made text := parent || to_char(month, '_YYYY_MM');
        rest text := parent || '_default';
        first text := public.history_bound(parent, month);
        past text := public.history_bound(parent, CAST(month + interval '1 month' AS date));
        key text := CASE parent WHEN 'transitions' THEN 'transition_id' WHEN 'audit_logs' THEN 'log_id'
            ELSE 'created_at' END;
        written text;
        moved bigint;
    BEGIN
        {_CHECKED}
        PERFORM pg_advisory_xact_lock(hashtext('history months'));
        IF to_regclass(format('public.%I', made)) IS NOT NULL THEN
            RETURN NULL;
        END IF;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING GENERATED '
            'INCLUDING CONSTRAINTS INCLUDING STORAGE)', made, parent);
        SELECT string_agg(quote_ident(attname), ', ') INTO written FROM pg_attribute
            WHERE attrelid = to_regclass(format('public.%I', parent)) AND attnum > 0 AND NOT attisdropped
                AND attgenerated = '';
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', rest);
        EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %I >= %L AND %I < %L RETURNING *) '
            'INSERT INTO public.%I (%s) SELECT %s FROM moved', rest, key, first, key, past, made, written, written);
        GET DIAGNOSTICS moved = ROW_COUNT;
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            parent, made, first, past);
        RETURN moved;
    END $$
"""
_DROP_MONTH = f"""
    CREATE FUNCTION drop_history_month(parent text, month date) RETURNS void LANGUAGE plpgsql {_AS_OWNER} AS $$
    BEGIN
        {_CHECKED}
        IF month + interval '1 month' > clock_timestamp() AT TIME ZONE 'UTC' THEN
            RAISE EXCEPTION 'the month % is not past', month;
        END IF;
        EXECUTE format('DROP TABLE public.%I', parent || to_char(month, '_YYYY_MM'));
    END $$
"""
# Autovacuum looks at each month by itself; what holds of all months together is asked for here.
_ANALYZE = f"""
    CREATE FUNCTION analyze_history() RETURNS void LANGUAGE plpgsql {_AS_OWNER} AS $$
    BEGIN
        ANALYZE ONLY public.transitions, ONLY public.audit_logs, ONLY public.events;
    END $$
"""
_FUNCTIONS_OF_MONTHS = (
    "make_history_month(text, date)",
    "drop_history_month(text, date)",
    "analyze_history()",
)


def downgrade() -> None:
    for function in _FUNCTIONS_OF_MONTHS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION history_bound(text, date)")
    op.execute("DROP VIEW audit_figures, step_figures")
    for table in (
        "held_decisions",
        "review_answers",
        "reviews",
        "dispatches",
        "transitions",
        "steps",
        "followups",
        "engineer_notices",
        "deliveries",
        "contact_logs",
        "cancellations",
        "audit_logs",
        "appointments",
        "actions",
        "tasks",
        "system_audit",
        "audit_seals",
        "subscribers",
        "signals",
        "runs",
        "retention_cursors",
        "rejects",
        "pulses",
        "notices",
        "notice_roles",
        "trigger_feed",
        "schedules",
        "inbox",
        "leases",
        "join_arrivals",
        "scopes",
        "variable_writes",
        "subscriptions",
        "slots",
        "run_keys",
        "intent_labels",
        "idempotency_keys",
        "artifacts",
        "forgotten_numbers",
        "figures",
        "figure_pending",
        "figure_feeds",
        "events",
        "engineer_capacity",
        "do_not_call",
        "definitions",
        "contact_stops",
        "callbacks",
        "api_keys",
        "alerts",
        "agents",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION business_now()")
    op.drop_table("business_clock")
