"""Personal names that contain a weekday: 我叫周一鸣, 周三强师傅."""

import re
from typing import Final

from tools.dates.mentions.mention import DateRule, Undated, dismiss

_WEEKDAY: Final = "周[一二三四五六日天]"
_GIVEN: Final = (
    "强伟鸣明军刚勇峰涛斌波辉鹏杰磊洋超亮娟芳英丽敏静红霞玲燕琴凤飞虎森泉荣福贵祥瑞国建志德才光宇浩然博雅欣怡佳琪婷雪莹倩颖"
    "晨阳春秋丰立凡帆航诚信义仁礼智平思元民"
)
"""Characters of given names that are no common surnames: 周三张师傅 is Wednesday, and technician Zhang."""

_TITLE: Final = (
    "师傅|先生|女士|小姐|经理|老师|阿姨|大[哥姐]|老板|主任|医生|同学|队长|工(?!作|程|人|地|期)|总(?!是|之|共)"
)

RULES: Final = (
    DateRule(
        "name",
        re.compile(
            rf"(?:[我他她名]叫|叫做|(?:姓名|名字)[是叫:]?){_WEEKDAY}(?:[^\W\da-zA-Z_来去再上下早晚就到打有修过的我你他她在才可以都能行不没要会前后之,，。]|"
            rf"(?=$|[,，。;；!！?？ ]))|"
            rf"{_WEEKDAY}[{_GIVEN}](?:{_TITLE})|"
            rf"(?:联系人|业主|户主|收货人|我是)[是:]?{_WEEKDAY}[{_GIVEN}](?=$|[,，。;；!！?？\d ])",
        ),
        dismiss(Undated.NOT_A_DATE),
    ),
)
