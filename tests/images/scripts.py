"""Pages of text in the scripts of the fonts layer, with the place of each line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyvips

from darkroom.imaging.fonts import use_fonts

SIZE = (1000, 360)
MARGIN_PX = 60
DPI = 72
"""So that a point is a pixel."""

TEXTS: Mapping[str, tuple[str, ...]] = {
    "Latin": ("Patient: Ada Lovelace", "Born on 10 December 1815", "Room 12, second floor"),
    "Chinese": ("患者姓名:王小明", "出生日期一八一五年", "二楼十二号病房"),
    "Japanese": ("患者の名前は山田花子です", "生年月日を確認してください", "二階の十二号室にいます"),
    "Korean": ("환자 이름은 김철수입니다", "생년월일을 확인해 주세요", "이층 열두 번째 방입니다"),
    "Cyrillic": ("Пациент: Мария Иванова", "Родилась десятого декабря", "Палата на втором этаже"),
    "Greek": ("Ασθενής: Μαρία Παπαδοπούλου", "Γεννήθηκε τον Δεκέμβριο", "Δωμάτιο στον δεύτερο όροφο"),
    "Arabic": ("اسم المريض أحمد محمد علي", "ولد في العاشر من ديسمبر", "الغرفة في الطابق الثاني"),
    "Hebrew": ("שם המטופל הוא דוד כהן", "נולד בעשירי בדצמבר", "החדר נמצא בקומה השנייה"),
    "Devanagari": ("रोगी का नाम राम कुमार है", "जन्म दस दिसंबर को हुआ", "कमरा दूसरी मंज़िल पर है"),
    "Bengali": ("রোগীর নাম রহিম উদ্দিন", "জন্ম দশ ডিসেম্বর তারিখে", "কক্ষটি দ্বিতীয় তলায় আছে"),
    "Tamil": ("நோயாளியின் பெயர் குமார்", "பிறந்த நாள் டிசம்பர் பத்து", "அறை இரண்டாம் மாடியில் உள்ளது"),
    "Telugu": ("రోగి పేరు రామ కుమార్", "పుట్టిన తేదీ డిసెంబర్ పది", "గది రెండవ అంతస్తులో ఉంది"),
    "Gujarati": ("દર્દીનું નામ રામ કુમાર છે", "જન્મ દસ ડિસેમ્બરે થયો", "ઓરડો બીજા માળે છે"),
    "Thai": ("ผู้ป่วยชื่อสมชายใจดี", "เกิดวันที่สิบธันวาคม", "ห้องอยู่ชั้นสอง"),
    "Myanmar": ("လူနာအမည် မောင်အောင်", "ဒီဇင်ဘာလ မွေးဖွားသည်", "ဒုတိယထပ် အခန်း"),
    "Khmer": ("អ្នកជំងឺឈ្មោះ សុខ ដារ៉ា", "កើតនៅខែធ្នូ ថ្ងៃទីដប់", "បន្ទប់នៅជាន់ទីពីរ"),
    "Lao": ("ຄົນເຈັບຊື່ ສົມສັກ ດີ", "ເກີດວັນທີສິບ ທັນວາ", "ຫ້ອງຢູ່ຊັ້ນສອງ"),
    "Georgian": ("პაციენტი გიორგი ბერიძე", "დაიბადა ათ დეკემბერს", "ოთახი მეორე სართულზე"),
    "Armenian": ("Հիվանդի անունը Արամ է", "Ծնվել է դեկտեմբերին", "Սենյակը երկրորդ հարկում է"),
    "Ethiopic": ("የታካሚው ስም አበበ ነው", "በታኅሣሥ አሥር ተወለደ", "ክፍሉ ሁለተኛ ፎቅ ላይ ነው"),
}
"""Lines without digits of the Latin script, by script."""


class Line(NamedTuple):
    """The rectangle of a line's ink in pixels."""

    left: int
    top: int
    width: int
    height: int


def draw_page(texts: tuple[str, ...], height_px: int = 34) -> tuple[bytes, list[Line]]:
    """Return a page as a PNG, and where its lines are."""
    use_fonts()
    page = pyvips.Image.black(*SIZE) + 255
    lines = []
    for number, text in enumerate(texts):
        ink = pyvips.Image.text(text, font=f"Noto Sans {height_px}", dpi=DPI)
        left, top = MARGIN_PX, 40 + number * (SIZE[1] - 40) // len(texts)
        page = page.insert(255 - ink, left, top)
        lines.append(Line(left, top, ink.width, ink.height))
    body: bytes = page.cast("uchar").copy(interpretation="b-w").colourspace("srgb").pngsave_buffer()
    return body, lines
