"""Every messenger that callbacks are taken from."""

from typing import Final

from tests.support.messengers.contract import Messenger
from tests.support.messengers.dingtalk import DingtalkPlatform
from tests.support.messengers.feishu import FeishuPlatform
from tests.support.messengers.wecom import WecomPlatform

FEISHU: Final = FeishuPlatform()
WECOM: Final = WecomPlatform()
DINGTALK: Final = DingtalkPlatform()
MESSENGERS: Final[tuple[Messenger, ...]] = (FEISHU, WECOM, DINGTALK)
