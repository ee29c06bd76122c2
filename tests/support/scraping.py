"""Reading the exporter as Prometheus does."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from storage.core.database import Database
from tests.support.agents import QUEUES
from workers.metrics.exporter import FleetCollector

Series = Mapping[str, float]
"""Values by `name,label=value`."""


def scrape(collector: FleetCollector) -> Series:
    registry = CollectorRegistry()
    registry.register(collector)
    return parse(generate_latest(registry).decode())


def parse(exposition: str) -> Series:
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def read(database: Database) -> Series:
    return scrape(FleetCollector(database, QUEUES))
