"""What the API tells Prometheus of itself."""

import re

from api.server.middleware.measurement import METHODS
from tests.support.api.client import ApiClient


def test_requests_are_counted_by_route_template_and_never_by_path(api: ApiClient) -> None:
    api.get("/agents/orchestrator/tasks/HT-nobody/status", "orchestrator")
    shown = api.get("/metrics", None).text
    assert 'route="/agents/orchestrator/tasks/{task_id}/status",status="404"' in shown
    assert "HT-nobody" not in shown


def test_the_histogram_has_an_edge_where_the_alert_lies(api: ApiClient) -> None:
    api.get("/health/live", None)
    assert 'le="0.5"' in api.get("/metrics", None).text


def test_odd_methods_make_no_series_of_their_own(api: ApiClient) -> None:
    for number in range(40):
        api.call(f"ODD{number}", "/states")
    methods = set(re.findall(r'method="(\w+)"', api.get("/metrics", None).text))
    assert methods <= {*METHODS, "other"}
    assert "other" in methods
