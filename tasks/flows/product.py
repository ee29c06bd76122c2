"""What general work registers with the engine: the actions that no product owns."""

from typing import Final

from engine.definitions.known_secrets import SecretUse
from engine.registry import Product
from tasks.flows import report
from tasks.flows.context import FlowsContext
from tasks.flows.http_steps import http

FLOWS: Final[Product[FlowsContext]] = Product(
    name="flows",
    actions=(http.ACTION, report.ACTION),
    writers=(report.WRITER,),
    secrets={
        SecretUse.REQUEST: lambda context: context.http.rules.variables,
        SecretUse.WEBHOOK: lambda context: context.webhook_secrets,
    },
)
"""HTTP requests and reports, for every workflow."""
