"""The words of the daily report, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from schemas.core.language import Language

_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "title": ("每日报告", "Daily report"),
        "made": ("数据读取于 {moment}（业务时间，{zone}）", "Read at {moment} (business time, {zone})"),
        "unfinished": (
            "当日尚未结束，数字仍会变化。",
            "The day is not over: its numbers will change.",
        ),
        "day": ("日期", "Day"),
        "hour": ("小时", "Hour"),
        "volume": ("业务量", "Volume"),
        "accepted": ("接收工单", "Orders accepted"),
        "closed": ("结案工单", "Orders closed"),
        "trend": ("七日趋势", "Seven days"),
        "trend.shown": (
            "截至当日的七天里每天接收的工单、发起的联系和结案的工单。",
            "Orders accepted, contacts intended and orders closed on each of the seven days up to this one.",
        ),
        "contacts": ("联系", "Contacts"),
        "intended": ("发起联系", "Contacts intended"),
        "answered": ("接听或回复", "Answered"),
        "silent": ("无人应答", "Silent"),
        "awaited": ("等待结果", "Awaited"),
        "unknown": ("是否送出未知", "Unknown"),
        "answer_rate": ("接听率", "Answer rate"),
        "by_hour": ("每小时联系", "Contacts by hour"),
        "by_hour.shown": (
            "当日每小时发起的联系，按结果分段。",
            "Contacts intended in each hour of the day, by what came of them.",
        ),
        "hour_and_channel": ("小时与渠道", "Hour and channel"),
        "contacts.note": (
            "发起联系 = 接听或回复 + 无人应答 + 等待结果 + 是否送出未知；确定未送出的不计。",
            "Intended = answered + silent + awaited + unknown; what certainly did not leave is not counted.",
        ),
        "channel.phone": ("电话", "phone"),
        "channel.sms": ("短信", "SMS"),
        "channel.im": ("即时消息", "IM"),
        "automation": ("自动执行", "Automatic execution"),
        "automatic_share": ("自动执行率", "Automatic share"),
        "alone": ("自动执行", "Executed automatically"),
        "by_person": ("经人工处理", "Asked of a person"),
        "automation.shown": (
            "当日识别意图且已有结果的工单，自动执行与经人工处理的数量。",
            "Orders understood on the day whose fate is known: executed automatically, or asked of a person.",
        ),
        "orders": ("工单", "Orders"),
        "how": ("方式", "How"),
        "share": ("占比", "Share"),
        "reviews": ("人工复核", "Reviews"),
        "opened": ("新增复核", "Opened"),
        "decided": ("完成复核", "Decided"),
        "overdue": ("超时复核", "Overdue"),
        "alerts": ("告警", "Alerts"),
        "raised": ("新增告警", "Raised"),
        "alert_type": ("类型", "Type"),
        "this_day": ("当日", "This day"),
        "day_before": ("前一日", "Day before"),
        "lateness": ("定时唤醒延迟", "Lateness of timers"),
        "timers": ("到时唤醒", "Timers that came due"),
        "p50": ("半数不超过", "Half within"),
        "p95": ("95% 不超过", "95% within"),
        "p99": ("99% 不超过", "99% within"),
        "lateness.note": (
            "按实际时间计日；数值为所在区间的上限，只计步骤已结束的。",
            "By days of real time; each value is the upper edge of its bucket, of steps that are over.",
        ),
        "lateness.beyond": ("{count} 次超过 {edge} 秒。", "{count} were later than {edge} s."),
        "ledger": ("当日工单去向", "Where the day's orders are"),
        "ledger.closed": ("其中已结案", "Closed of them"),
        "ledger.open": ("其中未结案", "Open of them"),
        "ledger.difference": ("差额", "Difference"),
        "ledger.note": (
            "按来源接收 = 按原因结案 + 按状态未结案；差额应为 0。去向为读取时的去向。",
            "Accepted by source = closed by reason + open by state; the difference is 0. All as it was when read.",
        ),
        "account": ("科目", "Account"),
        "account.source": ("接收 · {name}", "Accepted · {name}"),
        "account.reason": ("结案 · {name}", "Closed · {name}"),
        "account.state": ("未结案 · {name}", "Open · {name}"),
        "source.http": ("接口", "HTTP"),
        "source.stream": ("数据流", "stream"),
        "source.queue": ("消息队列", "queue"),
        "source.command": ("命令行", "command"),
        "source.trigger": ("触发器", "trigger"),
        "reason.visit_arranged": ("客户同意上门", "visit arranged"),
        "reason.cancelled_by_customer": ("客户取消", "cancelled by the customer"),
        "reason.contact_failed": ("多次联系未果", "nobody reached"),
        "reason.closed_by_person": ("人工关闭", "closed by a person"),
        "reason.cancelled": ("上游取消", "cancelled upstream"),
        "reason.timed_out": ("超时", "timed out"),
        "state.pending": ("待处理", "pending"),
        "state.contacting": ("联系中", "contacting"),
        "state.responded": ("客户已回应", "customer responded"),
        "state.no_response": ("未接通", "no response"),
        "state.classified": ("已识别意图", "intent known"),
        "state.action_taken": ("已执行", "action taken"),
        "state.waiting_followup": ("等待跟进", "waiting for follow-up"),
    }
)
_WEEKDAYS: Final = {
    Language.CHINESE: ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    Language.ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class DailyWords:
    """What things are called in a language."""

    language: Language

    def say(self, code: str, **named: object) -> str:
        """The words of a code, with what they name."""
        chinese, english = _WORDS[code]
        return (chinese if self.language is Language.CHINESE else english).format(**named)

    def called(self, kind: str, name: str) -> str:
        """What a source, a reason, a state or a channel is called; its own name where it has no other."""
        code = f"{kind}.{name}"
        return self.say(code) if code in _WORDS else name

    def dated(self, day: date) -> str:
        """A day with its weekday."""
        weekday = _WEEKDAYS[self.language][day.weekday()]
        return f"{day}（{weekday}）" if self.language is Language.CHINESE else f"{day} ({weekday})"
