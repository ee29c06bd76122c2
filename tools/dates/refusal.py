"""Finds refusals of a date: it is not possible then (周三没空), or an appointment is cancelled (周三的预约推掉)."""

import re
from typing import Final

_NOT: Final = re.compile(
    r"(?:(?<!要)不要|[请切]不|别|(?<!用)不用(?!上班|上课|加班|值班|开会|出差|出门)|甭|(?<!能)不能|(?<!想)不想|除了|除|避开|没法)(?:再|安排|约|在|等|是|改){0,3}$"
)
_EXCLUDED: Final = re.compile(
    r"(?<!行)(?<!不是)不行|(?<![可以])不可以|(?<!能)不能|(?<!在)不在|(?<!方)不方便|(?<!便)不便|(?<!有)没有?空|"
    r"(?<!有)没有?时间|没得空|没得闲|(?<!得)不得空|没工夫|没功夫|(?<!有)没有?人|(?:来|去|到|赶|等|回|走|约|做|弄)不(?:了|及|到|开|上|成)|"
    r"有事|有别的|有约|没档期|(?P<duty>(?<!不)(?<!不用)(?:有课|上课|值班(?!的|师傅|人|电话|经理)|(?:要|得|都?在)上班|加班))|"
    r"(?<!会不会)(?<!是不是)太晚|太迟|晚了(?!点[来到再]|些)|(?<!用)不用(?!取消|改|推|上班|上课|加班|值班|开会|出差|出门)|(?<!要)不要(?!取消|改|推|忘|迟|误)|别(?!取消|改|推|忘|迟|误|的|人|处|墅|耽)|(?<!来)不来|不接|不使|不赶趟|"
    r"(?<!不)(?<!不用)(?:出差(?!回|完|结|到)|出[门国](?!回)|外出|旅游|旅行|[在去]外地|在国外|回(?:老家|娘家|婆家|乡下)|出去玩|度假)|(?<!得)不得(?:[闲行]|$)|没法|无法|走不开|约满|排满|冲突|(?<!合)不合适|开会(?!回|完|结束)|"
    r"停[水电工](?!结束)|不考虑|(?P<busy>(?<![不帮])忙(?![完好过不了吗的]))|[很太都]忙|比较忙|不上门|不开门|没开门|(?:先|暂时)不(?!着|急|用)|不约|不需要|就算了|不想",
)
_SOMEBODY: Final = re.compile("(?<![没无])有人(?:值班|在|看着|开门)")
"""Makes up for what was said before it: 家里没人，但物业有人值班."""
SUBJECT: Final = re.compile(
    r"(?P<other>有(?:人|同事|师傅|保安|员工)|孩子|小孩|小朋友|娃|儿子|女儿|闺女|老公|老婆|爱人|媳妇|妻子|丈夫|爸|妈|父亲|母亲|爷爷|奶奶|公公|婆婆|岳[父母]|姥姥|外[公婆]|保姆|阿姨|家人|"
    r"同事|保安|门卫|物业|前台|师傅|别人|他们?|她们?|学生|老师|店员|员工|领导|邻居|室友|朋友|房东|你们?|您)|[我咱]",
)
"""Who has a duty: 我值班 leaves nobody at home, 有人值班 does not."""
_PARTS: Final = r"[上下中]午|早上|晚上|[早晚]|[\d一二两三四五六七八九十]{1,3}点半?"
_FILLER: Final = (
    rf"(?:{_PARTS}|[的我就先也那要想请得您把]|要不|还是|能不能|能否|能|现在|的话|可不可以|可以|麻烦|帮我?|给我?|需要|只好|只能|暂时|可能|恐怕|"
    r"[那这]一?[个趟次单]|上门|安装|维修|检修|服务|预约|安排|单子?|订单|工单|活儿?|行程|时间|[约说定订讲]好?了?的?|你们?)"
)
_THING: Final = (
    rf"(?:的|[那这]一?[个趟次单])[^\W\da-zA-Z_来去到在有不没别可能行再推改延挪取]{{1,4}}?{_FILLER}{{0,3}}?"
)
_LEAD: Final = rf"{_FILLER}{{0,7}}?(?:{_THING})?"
"""What may stand between a date and the verb that gives it up."""
_DONE: Final = (
    r"(?=(?:吧|吗|么|啊|呀|呢|了|哈|嘛|一下|行吗|行不行|可以吗|可不可以|好吗|好不好|再说|为好|"
    r"算了)*(?:$|[,，。;；!！?？\n ]))"
)
_HOURS: Final = (
    r"(?![,，]?(?:改|约|推|换)?[到至成在个]?(?:[上下中]午|早上|晚上|傍晚|"
    r"[\d一二两三四五六七八九十半几]{1,3}个?半?(?:小时|钟头|分钟|点|刻钟|:)))"
)
"""推迟两小时 and 改到下午 keep the day."""
_DROPPED: Final = "算了|取消|作废|作罢|挂起|不作数|退掉|撤[掉了销]|不约|推(?:迟|后|掉|延|辞)|延(?:后|期|迟)"
_CHANGED: Final = (
    rf"(?:往后|向后|朝后)再?[推挪延改拖放移调顺]|(?:改|换|调整?)(?:一?下|个|掉|一改)?(?:期|约|天(?![线然花])|时间|日子|日期|时候)|改日(?!光)|"
    rf"(?:改|推|挪|延)(?:一?[改推挪延]|一?下)?{_DONE}|(?:改|推|挪|延)期?[到至在]?$|[换调][到至]$"
)
_PAUSE: Final = (
    r"了?吧?[,，](?:不过|但是?|可是|现在|我|想|得|要|帮我?|麻烦|请|"
    r"能不能|能|可以|给我?|还是|就|先|也|那){0,5}?"
)
_GIVEN_UP: Final = re.compile(rf"{_LEAD}(?>{_DROPPED}|{_CHANGED}){_HOURS}")
_GIVEN_UP_AFTER_PAUSE: Final = re.compile(
    rf"(?P<lead>{_LEAD}){_PAUSE}(?>(?P<dropped>{_DROPPED})|{_CHANGED}){_HOURS}"
)
_BOOKED: Final = re.compile("预约|约[好了的]|安排|定[好了的]|单")
"""明天的预约，改一下 gives tomorrow up; 明天吧，改一下 may name the new day."""
_PUT_OFF: Final = re.compile(
    rf"{_LEAD}(?:往后|向后|再)?[推延晚迟](?:迟|后|期|个|上)?[^,，。;；!！?？\n]{{0,3}}?个?半?(?:天|周|星期|礼拜|月)(?!气)"
)
"""By so many days, which are a date of their own: 明天推迟两天."""
_CANCELS: Final = re.compile(
    r"(?<![不没别用要])(?:取消|推掉|退掉|推迟|撤销)(?:一?下|了|掉)?(?:我|我们)?(?:约好的|约的|原定)?的?$"
)


def is_given_up(text: str, head: str, end: int, next_start: int) -> bool:
    """Return whether the appointment at the date that ends there is cancelled or moved.

    Args:
        text: The text in one spelling.
        head: What stands before the date in its clause.
        end: Where the date ends.
        next_start: Where the next date begins.
    """
    if _GIVEN_UP.match(text, end, next_start) or _PUT_OFF.match(text, end):
        return True
    paused = _GIVEN_UP_AFTER_PAUSE.match(text, end, next_start)
    return paused is not None and bool(paused["dropped"] or _BOOKED.search(f"{head} {paused['lead']}"))


def is_refused(head: str, tail: str) -> bool:
    """Return whether the customer is not available then."""
    if _NOT.search(head) or _CANCELS.search(head):
        return True
    somebody = _SOMEBODY.search(tail)
    for match in _EXCLUDED.finditer(tail, somebody.start() if somebody else 0):
        subjects = (
            list(SUBJECT.finditer(f"{head} {tail[: match.start()]}"))
            if match["duty"] or match["busy"]
            else []
        )
        if not (subjects and subjects[-1]["other"]):
            return True
    return False
