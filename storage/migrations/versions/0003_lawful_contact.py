"""what contacting lawfully needs: blind index, do-not-call, stops, labels, capacity, recurring follow-ups."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
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
    op.create_table('notice_roles',
    sa.Column('role', sa.String(length=32), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('role', name=op.f('pk_notice_roles'))
    )
    op.create_table('notices',
    sa.Column('notice_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('to_role', sa.String(length=32), nullable=False),
    sa.Column('recipient', sa.String(length=32), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), server_default='waiting', nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('provider', sa.String(length=32), nullable=True),
    sa.Column('provider_id', sa.String(length=128), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name=op.f('ck_notices_state')),
    sa.PrimaryKeyConstraint('notice_id', name=op.f('pk_notices')),
    sa.UniqueConstraint('key', name=op.f('uq_notices_key'))
    )
    op.create_index('ix_notices_waiting', 'notices', ['due_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.add_column('contact_logs', sa.Column('phone_index', sa.LargeBinary(), nullable=True))
    op.add_column('contact_logs', sa.Column('script_version', sa.String(length=32), nullable=True))
    op.create_index('ix_contact_logs_channel', 'contact_logs', ['contact_method', 'contact_time'], unique=False)
    op.create_index('ix_contact_logs_reference', 'contact_logs', [sa.literal_column('"left"(md5(key::text), 15)')], unique=False)
    op.create_index('ix_contact_logs_number', 'contact_logs', ['phone_index', 'contact_time'], unique=False, postgresql_where=sa.text('phone_index IS NOT NULL'))
    op.add_column('tasks', sa.Column('phone_index', sa.LargeBinary(), nullable=True))
    op.add_column('tasks', sa.Column('followup_rule', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))
    op.create_index('ix_tasks_customer', 'tasks', [sa.literal_column("(metadata ->> 'customer_id')")], unique=False)
    op.create_index('ix_tasks_phone_index', 'tasks', ['phone_index'], unique=False, postgresql_where=sa.text('phone_index IS NOT NULL'))
    op.add_column('appointments', sa.Column('region', sa.String(length=64), nullable=True))
    op.add_column('appointments', sa.Column('day', sa.Date(), nullable=True))
    op.add_column('appointments', sa.Column('slot', sa.String(length=64), nullable=True))
    op.add_column('appointments', sa.Column('released_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_appointments_order_id', 'appointments', ['order_id'], unique=False, postgresql_where=sa.text('region IS NOT NULL AND released_at IS NULL'))
    op.create_index('ix_actions_action_type', 'actions', ['action_type', 'at'], unique=False)


def downgrade() -> None:
    for index, table in (
        ('ix_contact_logs_channel', 'contact_logs'), ('ix_contact_logs_number', 'contact_logs'),
        ('ix_contact_logs_reference', 'contact_logs'),
        ('ix_tasks_customer', 'tasks'), ('ix_tasks_phone_index', 'tasks'),
    ):
        op.drop_index(index, table)
    for column in ('script_version', 'phone_index'):
        op.drop_column('contact_logs', column)
    op.drop_index('ix_actions_action_type', 'actions')
    op.drop_index('ix_appointments_order_id', 'appointments')
    for column in ('released_at', 'slot', 'day', 'region'):
        op.drop_column('appointments', column)
    for column in ('followup_rule', 'phone_index'):
        op.drop_column('tasks', column)
    for table in ('notices', 'notice_roles', 'engineer_capacity', 'intent_labels', 'contact_stops', 'do_not_call'):
        op.drop_table(table)
