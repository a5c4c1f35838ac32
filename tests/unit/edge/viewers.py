"""Random requests of viewers: valid, nearly valid and mangled."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st

from darkroom.plan.options import NATIVE_OPTIONS

from .engine import NOW_S
from .reference import ViewerRequest

type Texts = st.SearchStrategy[str]


def any_of(words: str) -> Texts:
    """One of the words, or nothing where a word is ``''``."""
    return st.sampled_from([word if word != "''" else "" for word in words.split()])


def name_of(pair: str) -> str:
    """The name of a ``name=value``."""
    return pair.partition("=")[0]


def lists(parts: Texts, separator: str, low: int, high: int) -> Texts:
    """Parts joined to one text."""
    return st.lists(parts, min_size=low, max_size=high).map(separator.join)


NUMBERS = st.one_of(
    st.integers(-120, 120).map(str),
    st.integers(0, 70_000).map(str),
    st.decimals(0, 110, places=2).map(str),
    any_of("0 -0 00 01 +1 1. .5 1.50 1.500 0.1 4.5 1e2 0x10 '' ٣"),
    st.sampled_from([" 1", "1 ", "1\n"]),
)
LADDER = any_of("160 320 480 640 800 960 1280 1536 1920 2560 3840")
WORDS = any_of(
    """auto jpg jpeg png webp avif gif json thumbhash auto-avif contain cover fill letterbox none h v hv north northwest
    center attention entropy face fp pct logo w640 thin dense mirror hidden heads short constructor __proto__ toString
    0 1 90 180 270
    faces text pii all rights plate traffic.light obj fff F80 ff8800 ff8800ff f808 a.jpg é ~ _ - % & / \\ " 😀 '' """
)
HUNDREDTHS = st.decimals(0, 60, places=2).map(str)
FITTING = {
    "whole": st.one_of(LADDER, NUMBERS),
    "fixed": st.one_of(NUMBERS, any_of("1 1.5 2 3.50")),
    "flag": any_of("0 1 2 true"),
    "choice": WORDS,
    "colour": st.text("0123456789abcdefABCDEFg#", max_size=9),
    "gravity": st.one_of(WORDS, lists(NUMBERS, ":", 2, 2).map("fp:".__add__), WORDS.map("obj:".__add__)),
    "redaction": lists(WORDS | NUMBERS, ",", 1, 4),
    "crop": st.one_of(
        lists(st.integers(0, 900).map(str), ",", 4, 4),
        lists(HUNDREDTHS, ",", 4, 4).map("pct:".__add__),
        any_of("pct:0,0,100,100 pct:0,0,100.00,100 pct:50,0,50,100 pct:50,0,50.01,100"),
    ),
    "padding": lists(st.integers(0, 2100).map(str), ":", 1, 5),
    "watermark": st.tuples(
        any_of("logo a1 none Logo ''"), lists(st.one_of(WORDS, st.integers(0, 101).map(str)), ",", 0, 4)
    ).map(lambda made: f"{made[0]},{made[1]}".removesuffix(",")),
    "fileName": st.one_of(st.text(max_size=40), any_of("text:a,at:north image:a/b.png;text:50\\\\,%")),
    "word": st.one_of(WORDS, st.sampled_from(["cover", "A" * 43, "a" * 42, "-_" * 21 + "0"])),
}
ANYTHING = st.one_of(
    NUMBERS,
    WORDS,
    st.text(max_size=50),
    *(lists(NUMBERS | WORDS, separator, 1, 6) for separator in (",", ":", "~", ", ")),
)
EXPIRIES = st.sampled_from([str(NOW_S - 1), str(NOW_S), str(NOW_S + 1), "0", "99999999999"])


@st.composite
def spelled(draw: st.DrawFn, text: str) -> str:
    """``text`` on the wire: encoded where it must be, or everywhere."""
    way = draw(any_of("plain plain plus %{:02X} %{:02x}"))
    if way.startswith("%"):
        return "".join(map(way.format, text.encode()))
    encoded = quote(text, safe=",:~!'()*/@$")
    return encoded.replace("%20", "+") if way == "plus" else encoded


@st.composite
def pairs(draw: st.DrawFn) -> str:
    """One ``name=value`` of a query, usually nearly valid."""
    option = draw(st.sampled_from(NATIVE_OPTIONS))
    fitting = EXPIRIES if option.short == "exp" else FITTING[option.type.name]
    name = option.long if draw(st.integers(0, 4)) == 0 else option.short
    return f"{name}={draw(spelled(draw(st.one_of(fitting, fitting, fitting, ANYTHING))))}"


STRAY = any_of(
    f"""'' w = =1 w=% w=%zz dl=%FF dl=%C3 size=1 zz=1 A=1 __proto__=1 constructor=1 hasOwnProperty=1 w=1=2 %C3%A9=1
    %F0%9F%98%80=1 %77=800 0=1 w%3D=1 {"x" * 60}=1"""
)
QUERIES = st.one_of(
    st.lists(pairs(), max_size=2, unique_by=name_of).map("&".join),
    st.lists(pairs(), max_size=6, unique_by=name_of).map("&".join),
    lists(st.one_of(pairs(), pairs(), STRAY), "&", 0, 5),
    st.tuples(LADDER, any_of("'' &f=webp &f=auto &dpr=2 &width=1")).map(lambda made: f"w={made[0]}{made[1]}"),
    any_of(
        """preset=cover preset=thin preset=mirror&f=webp preset=dense&w=160 preset=hidden preset=heads f=json
        f=thumbhash&q=5 f=json&boxes=1 boxes=1"""
    ),
)
SEGMENTS = st.one_of(
    any_of(
        f"""a photo.jpg _ . .. %2E %5F %2F é %C3%A9 a%20b a+b !'()* ~-_. %FF % %2 %zz %00 %7F %ED%A0%80 %C0%AF '' 😀
        &=;@:$, {"a" * 699} {"%C3%A9" * 349}"""
    ),
    st.text(max_size=8).map(quote),
)
PATHS = st.tuples(st.integers(0, 4), lists(SEGMENTS, "/", 1, 3)).map(
    lambda made: "/" + made[1] if made[0] == 0 else "/photo.jpg"
)
SIGNATURES = any_of(f"'' '' &s={'A' * 43} &s={'A' * 43}&exp={NOW_S + 9} &signature={'_-' * 21}9 &exp={NOW_S - 9}")

TYPES = any_of("image/avif image/webp image/jpeg image/png image/* */* text/html IMAGE/AVIF ''")
WEIGHTS = any_of("'' ;q=0 ;q=0.0 ;q=0.5 ;Q=0.9 ;q=1 ;q=1.000 ;q=1.1 ;q= ;v=1;q=.5 ;q=0.1234") | st.just(" ; q=0.8")
RATIOS = st.one_of(
    any_of("'' 0 1 1.0 1.5 2 2.625 3 4 9 1.25 x 2x -1 1. 1e1 1000"), st.floats(0, 6, allow_nan=False).map(repr)
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), lists(st.tuples(TYPES, WEIGHTS).map("".join), ", ", 0, 5)),
        st.tuples(any_of("dpr sec-ch-dpr"), RATIOS),
        st.tuples(st.just("save-data"), any_of("on On off ''")),
        st.tuples(
            any_of("x-darkroom-request x-darkroom-signature x-darkroom-expires x-darkroom-url x-darkroom-first"),
            st.just("mine"),
        ),
    ),
    max_size=4,
)
REQUESTS = st.builds(
    ViewerRequest,
    st.tuples(PATHS, st.just("?"), QUERIES, SIGNATURES).map("".join),
    HEADERS,
    any_of("guarded guarded open signed"),
    any_of("GET GET GET GET GET GET GET GET GET GET GET GET HEAD HEAD OPTIONS POST"),
    any_of(
        """'' photo=faces =text a/=faces,%C3%A9=text,a%20b=all,photo.jpg=text photo.jpg/=all,photo.jpg=faces
        photo=pii,photo.jpg=faces-plate :logo a/:logo-center-50,%C3%A9=text,photo:a1 photo.jpg:logo,photo:a1-north-9-9
        =faces,photo:logo,:a1"""
    ),
    any_of("'' 1 2 b2"),
    any_of("none none rights"),
)
