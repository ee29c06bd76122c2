"""The unit of work: one transaction and the repositories that speak through it."""

from functools import cached_property

from sqlalchemy import Connection

from runtime.cipher import Cipher
from storage.access.idempotency import IdempotencyKeys
from storage.access.keys import Keys
from storage.access.system_audit import SystemAudit
from storage.engine.clock import BusinessClock
from storage.engine.definitions import Definitions
from storage.engine.leases import Leases
from storage.engine.pulses import Pulses
from storage.engine.queues import Queues
from storage.engine.runs import Runs
from storage.engine.steering import Steering
from storage.engine.steps import Steps
from storage.engine.workers import Workers
from storage.flows.agents import Agents
from storage.flows.named_runs import NamedRuns
from storage.flows.task_list import TaskList
from storage.orders.approvals import Approvals
from storage.orders.audit_logs import AuditLogs
from storage.orders.calls import Calls
from storage.orders.capacity import Capacity
from storage.orders.contacts.callbacks import Callbacks
from storage.orders.contacts.constraints import Lawfulness
from storage.orders.contacts.contacts import Contacts
from storage.orders.contacts.do_not_call import DoNotCall
from storage.orders.contacts.stops import ContactStops
from storage.orders.contacts.traces import ContactTraces
from storage.orders.effects import Effects
from storage.orders.figures import Figures
from storage.orders.labels import Labels
from storage.orders.orders import Orders
from storage.orders.overview import Overview
from storage.orders.places import Places
from storage.orders.progress import Progresses
from storage.orders.report import Reports
from storage.orders.signals import Signals
from storage.orders.standing import Standings
from storage.orders.timeline import Timeline
from storage.orders.upkeep.ciphertexts import Ciphertexts
from storage.orders.upkeep.privacy import Privacy
from storage.orders.upkeep.retention import Retention
from storage.outbound.deliveries import Deliveries
from storage.outbound.feed import Feed
from storage.outbound.notices import Notices
from storage.outbound.subscribers import Subscribers
from storage.people.alerts import Alerts
from storage.people.rejects import Rejects
from storage.people.reviews import Reviews


class UnitOfWork:
    """One transaction and the repositories that speak through it."""

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self.cipher = cipher

    @cached_property
    def steps(self) -> Steps:
        """The steps of runs."""
        return Steps(self._connection)

    @cached_property
    def calls(self) -> Calls:
        """What agents call for over the API."""
        return Calls(self._connection)

    @cached_property
    def steering(self) -> Steering:
        """What callers and signals change of waiting steps."""
        return Steering(self._connection)

    @cached_property
    def queues(self) -> Queues:
        """The steps as a queue sees them: what waits, what is due, what was lost."""
        return Queues(self._connection)

    @cached_property
    def leases(self) -> Leases:
        """Who works on what, until when."""
        return Leases(self._connection)

    @cached_property
    def runs(self) -> Runs:
        """Executions of workflows."""
        return Runs(self._connection)

    @cached_property
    def definitions(self) -> Definitions:
        """Workflow definitions by name and version."""
        return Definitions(self._connection)

    @cached_property
    def orders(self) -> Orders:
        """Suspended orders."""
        return Orders(self._connection, self.cipher)

    @cached_property
    def contacts(self) -> Contacts:
        """Attempts to reach customers."""
        return Contacts(self._connection, self.cipher)

    @cached_property
    def lawfulness(self) -> Lawfulness:
        """What stands against contacting people."""
        return Lawfulness(self._connection)

    @cached_property
    def do_not_call(self) -> DoNotCall:
        """Numbers that must not be contacted."""
        return DoNotCall(self._connection, self.lawfulness)

    @cached_property
    def contact_stops(self) -> ContactStops:
        """Emergency stops."""
        return ContactStops(self._connection, self.lawfulness)

    @cached_property
    def contact_traces(self) -> ContactTraces:
        """Attempts by what providers call them."""
        return ContactTraces(self._connection)

    @cached_property
    def callbacks(self) -> Callbacks:
        """What channels told us, raw."""
        return Callbacks(self._connection, self.cipher)

    @cached_property
    def reviews(self) -> Reviews:
        """Questions to people."""
        return Reviews(self._connection)

    @cached_property
    def labels(self) -> Labels:
        """What people said customers meant, beside what the model had read."""
        return Labels(self._connection, self.cipher)

    @cached_property
    def alerts(self) -> Alerts:
        """Things a person should look at."""
        return Alerts(self._connection)

    @cached_property
    def agents(self) -> Agents:
        """Outside agents."""
        return Agents(self._connection)

    @cached_property
    def workers(self) -> Workers:
        """The fleet's worker processes, as PostgreSQL sees them."""
        return Workers(self._connection)

    @cached_property
    def pulses(self) -> Pulses:
        """When what works by itself last did."""
        return Pulses(self._connection)

    @cached_property
    def rejects(self) -> Rejects:
        """Input that was refused, kept with the reason."""
        return Rejects(self._connection, self.cipher)

    @cached_property
    def privacy(self) -> Privacy:
        """What is known of customers, to be removed."""
        return Privacy(self._connection, self.cipher)

    @cached_property
    def retention(self) -> Retention:
        """What has been kept long enough."""
        return Retention(self._connection)

    @cached_property
    def ciphertexts(self) -> Ciphertexts:
        """Everything that is encrypted."""
        return Ciphertexts(self._connection, self.cipher)

    @cached_property
    def keys(self) -> Keys:
        """API keys, hashed."""
        return Keys(self._connection)

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Requests under a key of their caller, and how they were answered."""
        return IdempotencyKeys(self._connection, self.cipher)

    @cached_property
    def system_audit(self) -> SystemAudit:
        """What was done to the installation itself."""
        return SystemAudit(self._connection)

    @cached_property
    def signals(self) -> Signals:
        """What the world told tasks between their steps."""
        return Signals(self._connection, self.cipher)

    @cached_property
    def timeline(self) -> Timeline:
        """An order's history: transitions, audit, events."""
        return Timeline(self._connection)

    @cached_property
    def audit_logs(self) -> AuditLogs:
        """The audit log as outside agents write it and people read it."""
        return AuditLogs(self._connection)

    @cached_property
    def feed(self) -> Feed:
        """The events people watch, in an order that misses nothing."""
        return Feed(self._connection)

    @cached_property
    def subscribers(self) -> Subscribers:
        """Who is told of what happens to tasks."""
        return Subscribers(self._connection, self.cipher)

    @cached_property
    def deliveries(self) -> Deliveries:
        """Messages on their way to subscribers."""
        return Deliveries(self._connection)

    @cached_property
    def notices(self) -> Notices:
        """Messages on their way to staff."""
        return Notices(self._connection)

    @cached_property
    def standings(self) -> Standings:
        """Where every order stands."""
        return Standings(self._connection)

    @cached_property
    def progress(self) -> Progresses:
        """How far orders have come."""
        return Progresses(self._connection)

    @cached_property
    def overview(self) -> Overview:
        """What people ask of the fleet and of one run."""
        return Overview(self._connection)

    @cached_property
    def task_list(self) -> TaskList:
        """Orders and general tasks in one list."""
        return TaskList(self._connection)

    @cached_property
    def named_runs(self) -> NamedRuns:
        """Runs whose caller chose the id."""
        return NamedRuns(self._connection)

    @cached_property
    def reports(self) -> Reports:
        """What became of the orders of a period."""
        return Reports(self._connection)

    @cached_property
    def clock(self) -> BusinessClock:
        """The business clock."""
        return BusinessClock(self._connection)

    @cached_property
    def effects(self) -> Effects:
        """The writers of what steps return."""
        return Effects(
            self._connection,
            self.orders,
            self.contacts,
            self.alerts,
            self.timeline,
            self.do_not_call,
            Places(self._connection),
        )

    @cached_property
    def capacity(self) -> Capacity:
        """How many visits engineers have room for."""
        return Capacity(self._connection)

    @cached_property
    def approvals(self) -> Approvals:
        """What people agreed to, and how often actions were carried out."""
        return Approvals(self._connection)

    @cached_property
    def figures(self) -> Figures:
        """What the fleet has done and where it stands, in numbers."""
        return Figures(self._connection)
