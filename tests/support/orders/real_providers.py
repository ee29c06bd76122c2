"""The API over a house whose calls and texts go through providers that stand on this machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from runtime.settings import PROJECT
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.factories import READY, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.providers.aliyun import KEY_ID, KEY_SECRET, Aliyun, pushed
from tests.support.providers.server import serving
from tests.support.providers.twilio import SID, TOKEN, Call, Twilio

BASE = "https://unpend.example/v1"
PUSH_TOKEN = "the-secret-end-of-an-address"
SCRIPT = "pending_task_v1"


@dataclass(slots=True)
class ApiWithProviders:
    """The API over a house whose calls go through one provider and whose texts go through another."""

    api: ApiClient
    aliyun: Aliyun
    twilio: Twilio

    @property
    def house(self) -> InProcessFleet:
        return self.api.house

    def taken(self) -> str:
        """An order that went as far as it goes by itself."""
        body = payload()
        body["metadata"]["phone"] = "138 0013 9999"
        assert self.api.post("/agents/orchestrator/tasks/start", json=body).status_code < 300
        self.house.run()
        return str(body["task_id"])

    def next_contact(self) -> None:
        """Go on to the next contact, hours later."""
        self.house.run()
        assert self.house.leap()
        self.house.run()

    def push(self, *reports: dict[str, Any], token: str = PUSH_TOKEN) -> httpx2.Response:
        """Push as Aliyun does."""
        headers = {"Content-Type": "application/json"}
        return self.api.post(
            f"/webhooks/contact/aliyun/{token}", None, content=pushed(*reports), headers=headers
        )

    def call_back(self, call: Call) -> httpx2.Response:
        """Call back as Twilio does."""
        path = call.url.removeprefix(BASE)
        return self.api.post(path, None, content=call.body, headers=dict(call.headers))

    def contacts(self, task_id: str) -> list[Contact]:
        with self.house.database.transaction() as work:
            return Contacts(work).of_task(task_id)

    def kept(self) -> list[tuple[str, str]]:
        """Provider and key of every callback that was kept."""
        rows = Probe(self.house.database).rows("SELECT provider, key FROM callbacks ORDER BY callback_id")
        return [(row[0], row[1]) for row in rows]


def routed(folder: Path, channels: dict[str, Any]) -> dict[str, Any]:
    """Settings of an installation with these channels, whose contacts are four hours apart at any time of day."""
    policies = folder / "policies"
    shutil.copytree(PROJECT / "config" / "policies", policies)
    written = yaml.safe_load((policies / "contact.yaml").read_text(encoding="utf-8"))
    patient = written["policies"]["always_open"] | {"gap_hours": 4}
    written["policies"]["patient"] = patient
    (policies / "contact.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    (folder / "channels.yaml").write_text(yaml.safe_dump({"channels": channels}), encoding="utf-8")
    return {
        "channel": "routed",
        "config_folder": folder,
        "contact_policy": "patient",
        "callback_base_url": BASE,
        "aliyun_access_key_id": KEY_ID,
        "aliyun_access_key_secret": KEY_SECRET,
        "aliyun_callback_token": PUSH_TOKEN,
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
    }


@contextmanager
def opened(database_url: str, folder: Path, *, swapped: bool = False) -> Iterator[ApiWithProviders]:
    """Calls through Twilio and texts through Aliyun, or the other way round."""
    aliyun, twilio = Aliyun(), Twilio()
    with serving(aliyun) as chinese, serving(twilio) as american:
        words = {SCRIPT: "您的{product}可以上门吗？"}
        codes = {SCRIPT: {"code": "CODE_1", "variables": ["product"]}}
        phone: dict[str, Any] = {"provider": "twilio_calls", "sender": "+15005550006", "scripts": words}
        sms: dict[str, Any] = {"provider": "aliyun_sms", "sign_name": "示例", "scripts": codes}
        addresses = (american, chinese)
        if swapped:
            phone = {"provider": "aliyun_voice", "scripts": codes, "keys": {"1": READY}}
            sms = {"provider": "twilio_messages", "sender": "+15005550006", "scripts": words}
            addresses = (chinese, american)
        channels = {"phone": phone | {"base_url": addresses[0]}, "sms": sms | {"base_url": addresses[1]}}
        house = InProcessFleet.build(database_url, **routed(folder, channels))
        register_keys(house)
        with api_over(house) as api:
            yield ApiWithProviders(api, aliyun, twilio)
        house.close()


def texted(office: ApiWithProviders) -> str:
    """An order whose number takes no calls, so that its customer was sent a text."""
    task_id = office.taken()
    office.call_back(office.twilio.call_state(0, "failed", SipResponseCode="404"))
    office.next_contact()
    assert len(office.aliyun.texts) == 1
    return task_id
