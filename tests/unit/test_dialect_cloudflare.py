"""The Cloudflare dialect: the plan of every option, and errors by option name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.errors import BadKey, BadOption, DarkroomError, DuplicateOption, Expired, UnknownOption
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets
from darkroom.plan.variants import AccessMode, needs_signature
from darkroom_dialects.cloudflare import OPTION_MAPPINGS, parse, verify
from darkroom_dialects.common.mapping import count_supported
from darkroom_dialects.common.settings import CloudflareSettings, DialectSettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.settings_file import parse_settings

SOME = DialectSettings(Sources((("//images.dev/", ""),)))


def path_of(target: str) -> str:
    """The canonical path of a URL, which must name its Plan in turn."""
    plan = parse(target, SOME).plan
    path = canonical_path(plan)
    assert parse_path(path) == plan
    return path


MEANINGS = [
    ("width=300", "w-300.auto-legacy"),
    ("w=300,format=auto", "w-300.auto"),
    ("width=auto", "w-1200.auto-legacy"),
    ("height=200", "h-200.auto-legacy"),
    ("h=200,dpr=2", "h-400.auto-legacy"),
    ("w=101,dpr=1.5", "w-152.auto-legacy"),
    ("w=5000,dpr=2", "w-8192.auto-legacy"),
    ("w=300,h=200", "h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=scale-down", "h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=contain", "h-200_up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=cover", "fit-cover_h-200_up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=crop", "cov-clip_fit-cover_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop", "fit-cover_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=pad", "bgm-ffffff_fit-letterbox_h-200_up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=pad,background=red", "bg-ff0000_fit-letterbox_h-200_up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=squeeze", "fit-fill_h-200_up-1_w-300.auto-legacy"),
    ("w=300,fit=cover", "up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=cover,gravity=auto", "fit-cover_g-attention_h-200_up-1_w-300.auto-legacy"),
    ("w=300,h=200,fit=crop,g=left", "cov-clip_fit-cover_g-west_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=right", "fit-cover_g-east_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=top", "fit-cover_g-north_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=bottom", "fit-cover_g-south_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=0.5x0.333", "fit-cover_g-fp-0.5-0.33_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=0x1", "fit-cover_g-fp-0-1_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=face,zoom=0.5", "fit-cover_fz-0.5_g-face_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,g=face,face-zoom=1", "fit-cover_fz-1_g-face_h-200_w-300.auto-legacy"),
    ("w=300,h=200,fit=aspect-crop,zoom=1", "fit-cover_h-200_w-300.auto-legacy"),
    ("trim=20;30;20;0", "inset-20-30-20-0.auto-legacy"),
    ("trim=20%3B30%3B20%3B0,dpr=2", "inset-40-60-40-0.auto-legacy"),
    ("trim.left=30,trim.top=40,trim.width=678,trim.height=67", "crop-30-40-678-67.auto-legacy"),
    ("trim.left=30,trim.top=40", "inset-40-0-0-30.auto-legacy"),
    ("trim.width=10,dpr=2", "crop-0-0-20-65535.auto-legacy"),
    ("rotate=90", "rot-90.auto-legacy"),
    ("flip=h", "flip-h.auto-legacy"),
    ("flip=h,rotate=90", "flip-h_rot-270.auto-legacy"),
    ("flip=v,rotate=90", "flip-h_rot-90.auto-legacy"),
    ("flip=hv,rotate=90", "rot-270.auto-legacy"),
    ("background=%23F80", "bg-ff8800.auto-legacy"),
    ("background=rgb%28240%2C40%2C145%29", "bg-f02891.auto-legacy"),
    ("background=rgb%28240%2040%20145%29", "bg-f02891.auto-legacy"),
    ("blur=250", "blur-100.auto-legacy"),
    ("blur=1", "blur-0.4.auto-legacy"),
    ("sharpen=2.5", "sharp-2.5.auto-legacy"),
    ("brightness=0.5", "bri--50.auto-legacy"),
    ("brightness=0,contrast=0,gamma=0", "full.auto-legacy"),
    ("contrast=2", "con-100.auto-legacy"),
    ("contrast=3", "mat-3-0-0--1-0-3-0--1-0-0-3--1.auto-legacy"),
    ("brightness=2,contrast=3", "mat-6-0-0--1-0-6-0--1-0-0-6--1.auto-legacy"),
    ("saturation=0", "sat--100.auto-legacy"),
    ("saturation=1.25", "sat-25.auto-legacy"),
    ("gamma=2", "gam-2.auto-legacy"),
    ("quality=50,f=webp", "q-50.webp"),
    ("q=high,f=avif", "q-90.avif"),
    ("q=low,f=avif", "q-50.avif"),
    ("f=jpeg", "full.jpeg"),
    ("f=baseline-jpeg", "base-1.jpeg"),
    ("f=auto", "h-2560_w-2560.auto"),
    ("f=json,w=300", "full.json"),
    ("f=png,w=300", "w-300.png"),
    ("fit=scale-up,w=300", "grow-1_up-1_w-300.auto-legacy"),
    ("background=rgba%28300%2C-5%2C1e3%2C1.5%29", "bg-ff00ff.auto-legacy"),
    ("background=rgba%28100000%2C0%2C0%2C-1%29", "bg-ff000000.auto-legacy"),
    ("background=rgba%28255%20255%200%20100%29", "bg-ffff00.auto-legacy"),
    ("background=rgb%28none%20%2B300%200.1234567%29", "bg-00ff00.auto-legacy"),
    ("anim=false,f=webp", "anim-0.webp"),
    ("anim=true,f=webp", "full.webp"),
    ("metadata=keep,w=5", "w-5.auto-legacy"),
    ("segment=foreground,w=5", "cutout-1_w-5.auto-legacy"),
    ("compression=fast,w=5", "w-5.auto-legacy"),
    ("onerror=redirect,w=5", "w-5.auto-legacy"),
    ("upscale=interpolate,w=5", "w-5.auto-legacy"),
    ("slow-connection-quality=50,w=5", "w-5.auto-legacy"),
    ("scq=low,w=5", "w-5.auto-legacy"),
]


@pytest.mark.parametrize(("options", "expected"), MEANINGS, ids=[options for options, _ in MEANINGS])
def test_what_options_come_to(options: str, expected: str) -> None:
    assert path_of(f"/cdn-cgi/image/{options}/a.jpg") == f"/a.jpg/_/{expected}"


def test_every_name_of_every_covered_option_is_read_here() -> None:
    written = {option.partition("=")[0] for options, _ in MEANINGS for option in options.split(",")}
    assert written == {name for covered in OPTION_MAPPINGS if covered.parse for name in covered.names}


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("uploads/hero.jpg", "uploads/hero.jpg"),
        ("caf%C3%A9.jpg", "café.jpg"),
        ("https://images.dev/a%20b.jpg?v=1", "a b.jpg"),
        ("https:/images.dev/a.jpg", "a.jpg"),
        ("a.jpg?v=1", "a.jpg"),
    ],
)
def test_where_the_source_is(source: str, key: str) -> None:
    assert parse(f"/cdn-cgi/image/w=5/{source}", SOME).plan.key == key


def test_a_quality_for_slow_connections() -> None:
    assert parse("/cdn-cgi/image/scq=40,w=5/a.jpg", SOME).saving_quality == 40
    assert parse("/cdn-cgi/image/slow-connection-quality=medium-low,w=5/a.jpg", SOME).saving_quality == 65
    assert parse("/cdn-cgi/image/w=5/a.jpg", SOME).saving_quality is None


def test_nothing_is_signed() -> None:
    asked = parse("/cdn-cgi/image/w=5/a.jpg", SOME)
    assert (asked.claim, asked.expires_s) == (None, None)
    verify(asked.claim, [], 0, asked.expires_s)
    with pytest.raises(Expired):
        verify(None, [], 5, 5)


@pytest.mark.parametrize("options", ["width=800", "w=800,f=auto", "w=400,dpr=2,f=webp", "f=auto", "f=json"])
def test_unsigned_requests_that_are_allowed(options: str) -> None:
    assert not needs_signature(parse(f"/cdn-cgi/image/{options}/a.jpg", SOME).plan, AccessMode.GUARDED)


def test_unsigned_requests_that_are_refused() -> None:
    assert needs_signature(parse("/cdn-cgi/image/w=801/a.jpg", SOME).plan, AccessMode.GUARDED)


@pytest.mark.parametrize(
    ("options", "native"),
    [
        ("width=800,format=auto", "/a.jpg?w=800"),
        ("w=300,h=200,fit=aspect-crop,g=auto,q=80,f=webp", "/a.jpg?w=300&h=200&fit=cover&g=attention&q=80&f=webp"),
        ("flip=h,rotate=90,f=auto", "/a.jpg?flip=h&rot=270"),
        ("width=800,format=png", "/a.jpg?w=800&f=png"),
    ],
)
def test_equal_meanings_share_an_image_with_native_urls(options: str, native: str) -> None:
    assert parse(f"/cdn-cgi/image/{options}/a.jpg", SOME).plan == parse_url(native).plan


REFUSED = [
    ("foo=1", UnknownOption, "no option 'foo'"),
    ("width", BadOption, "'width' is not an option like"),
    ("", BadOption, "'' is not an option like"),
    ("w=300,", BadOption, "'' is not an option like"),
    ("w=300,width=400", DuplicateOption, "width was given twice"),
    ("w=3e2", BadOption, "w: must be a whole number"),
    ("w=9000", BadOption, "w must be a whole number from 1 to 8192"),
    ("h=auto", BadOption, "h: must be a whole number"),
    ("dpr=0", BadOption, "dpr: must be above 0"),
    ("dpr=5", BadOption, "dpr: must be a number from 0 to 4"),
    ("fit=enlarge", BadOption, "fit: must be one of scale-down"),
    ("g=center", BadOption, "g: must be one of auto"),
    ("g=0.5x1.5", BadOption, "g: must be a number from 0 to 1"),
    ("zoom=2", BadOption, "zoom: must be a number from 0 to 1"),
    ("trim=1;2;3", BadOption, "trim: must be top;right;bottom;left"),
    ("trim=1;2;3;4,trim.left=5", BadOption, "trim: has either"),
    ("trim=70000;0;0;0", BadOption, "inset must be"),
    ("trim.width=70000", BadOption, "crop must be"),
    ("rotate=45", BadOption, "rotate: must be one of 0, 90"),
    ("flip=none", BadOption, "flip: must be one of h"),
    ("background=nocolour", BadOption, "background: must be a CSS colour"),
    ("background=%zz", BadOption, "background is not percent-encoded"),
    ("blur=251", BadOption, "blur: must be a number from 0 to 250"),
    ("sharpen=11", BadOption, "sharpen: must be a number from 0 to 10"),
    ("gamma=9", BadOption, "gam must be"),
    ("brightness=100,contrast=100", BadOption, "mat must be"),
    ("q=0", BadOption, "q: must be a whole number from 1 to 100 or"),
    ("scq=best", BadOption, "scq: must be"),
    ("f=bmp", BadOption, "f: must be one of auto"),
    ("anim=1", BadOption, "anim: must be one of true"),
    ("metadata=all", BadOption, "metadata: must be one of"),
    ("onerror=ignore", BadOption, "onerror: must be one of redirect"),
    ("compression=slow", BadOption, "compression: must be one of fast"),
    ("upscale=generate", BadOption, "upscale: generate needs a signature"),
    ("segment=background", BadOption, "segment: must be one of foreground"),
    ("border=1", BadOption, "border is not supported"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED, ids=[options for options, *_ in REFUSED])
def test_what_is_refused_by_name(options: str, error: type[BadOption], message: str) -> None:
    with pytest.raises(error) as refusal:
        parse(f"/cdn-cgi/image/{options}/a.jpg", SOME)
    assert message in refusal.value.message


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "must be like"),
        ("/a.jpg", "must be like"),
        ("/cdn-cgi/image/w=5", "must be like"),
        ("/cdn-cgi/image/w=5/", "must be like"),
        ("/cdn-cgi/image/w=5/a/../b.jpg", r"or \.\."),
        (
            "/cdn-cgi/image/w=5/https://example.org/a.jpg",
            "Sources on 'https://example.org'",
        ),
    ],
)
def test_sources_that_are_none(target: str, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        parse(target, SOME)


HOSTED = DialectSettings(
    SOME.sources,
    cloudflare=CloudflareSettings("ZWd9g1K7eljCn_KDTu_MWA"),
    presets=Presets({"card": {"w": "256", "h": "256", "fit": "cover", "f": "webp"}}, {}),
)
ACCOUNT = "/cdn-cgi/imagedelivery/ZWd9g1K7eljCn_KDTu_MWA"


@pytest.mark.parametrize(
    ("path", "native"),
    [
        ("083eb7b2-5392/public", "/083eb7b2-5392"),
        ("083eb7b2-5392/card", "/083eb7b2-5392?w=256&h=256&fit=cover&f=webp"),
        ("folder/a%20b.jpg/card", "/folder/a%20b.jpg?w=256&h=256&fit=cover&f=webp"),
        ("a.jpg/w=400,sharpen=3", "/a.jpg?w=400&sharp=3"),
        ("a.jpg/w=400,f=json", "/a.jpg?f=json"),
    ],
)
def test_hosted_images_are_presets_by_name(path: str, native: str) -> None:
    asked = parse(f"{ACCOUNT}/{path}", HOSTED)
    assert (asked.plan, asked.claim) == (parse_url(native).plan, None)


def test_a_preset_may_be_called_public() -> None:
    some = replace(HOSTED, presets=Presets({"public": {"w": "640"}}, {}))
    assert parse(f"{ACCOUNT}/a.jpg/public", some).plan == parse_url("/a.jpg?w=640").plan


@pytest.mark.parametrize(
    ("path", "some", "error", "message"),
    [
        (f"{ACCOUNT}/a.jpg/large", HOSTED, BadOption, "no variant 'large': they are the presets card, and public"),
        (f"{ACCOUNT}/a.jpg", HOSTED, BadKey, "must be like /cdn-cgi/imagedelivery/"),
        (f"{ACCOUNT}//public", HOSTED, BadKey, "must be like"),
        (f"{ACCOUNT}/../public", HOSTED, BadKey, r"or \.\."),
        (
            "/cdn-cgi/imagedelivery/other/a.jpg/public",
            HOSTED,
            BadKey,
            "Images of the account 'other' are not configured",
        ),
        ("/cdn-cgi/imagedelivery//a.jpg/public", SOME, BadKey, "must be like"),
        (f"{ACCOUNT}/a.jpg/public", SOME, BadKey, "Images of the account"),
    ],
)
def test_hosted_images_that_are_none(
    path: str, some: DialectSettings, error: type[DarkroomError], message: str
) -> None:
    with pytest.raises(error, match=message):
        parse(path, some)


def test_an_account_is_a_segment_of_a_path() -> None:
    for account in ("a/b", "a b", "%2F"):
        with pytest.raises(ValueError, match="account_hash"):
            parse_settings(f"[cloudflare]\naccount_hash = '{account}'", Presets({}, {}))
    assert parse_settings("[cloudflare]\naccount_hash = 'a_B-9'", Presets({}, {})).cloudflare.account_hash == "a_B-9"


def test_only_presets_of_hosted_images_need_no_signature() -> None:
    """A flexible variant beyond the finite set does."""
    flexible = parse(f"{ACCOUNT}/a.jpg/w=401", HOSTED).plan
    assert needs_signature(flexible, AccessMode.GUARDED, lambda: HOSTED.presets)
    for variant in ("public", "card", "w=320"):
        plan = parse(f"{ACCOUNT}/a.jpg/{variant}", HOSTED).plan
        assert not needs_signature(plan, AccessMode.GUARDED, lambda: HOSTED.presets), variant


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ("f=json", (4000, 3000)),
        ("f=json,w=800", (800, 600)),
        ("w=9,f=json,h=400,fit=pad", (9, 400)),
        ("f=json,w=8000,fit=scale-up", (8000, 6000)),
        ("f=json,w=80,fit=scale-up", (4000, 3000)),
        ("f=json,rotate=90,w=300", (300, 400)),
        ("f=json,trim=10;20;30;40", (3940, 2960)),
    ],
)
def test_json_has_the_size_of_the_result_and_its_source(options: str, size: tuple[int, int]) -> None:
    document = parse(f"/cdn-cgi/image/{options}/a.jpg", SOME).document
    assert document is not None
    description = {"width": 4000, "height": 3000, "format": "jpeg", "bytes": 12_345}
    assert document(description) == {
        "width": size[0],
        "height": size[1],
        "original": {"file_size": 12_345, "width": 4000, "height": 3000, "format": "image/jpeg"},
    }


WORDS = "auto face 300 0.5 2 0x1 cover pad crop h hv true 90 red low fast none webp 1;2;3;4 %20"
VALUES = st.sampled_from(WORDS.split())
OPTIONS = st.builds(
    "{}={}".format, st.sampled_from([name for covered in OPTION_MAPPINGS for name in covered.names]), VALUES
)


@given(options=st.lists(OPTIONS, min_size=1, max_size=6))
@example(options=["fit=pad", "h=5", "g=face", "zoom=0.5", "f=baseline-jpeg"])
def test_every_parsed_url_has_one_canonical_path(options: list[str]) -> None:
    try:
        path_of(f"/cdn-cgi/image/{','.join(options)}/a.jpg")
    except BadOption as refusal:
        assert refusal.option


@given(text=st.text(max_size=60))
@example(text="w=" + "9" * 5000)
def test_no_text_breaks_the_parser(text: str) -> None:
    for target in (text, f"/cdn-cgi/image/{text}", f"/cdn-cgi/image/{text}/a.jpg", f"/cdn-cgi/image/w=5/{text}"):
        try:
            path_of(target)
        except DarkroomError as error:
            assert error.status == 400


# cloudflare/cloudflare-docs, src/content/docs/images/optimization/features.mdx at
# 24fec10ca4fd3274688bcfa9be30e0253b58476b: the parameters that it lists, with their aliases and trim's separate values;
# and partials/images/upscale.mdx at 92eb2eabb6fd4edd61eccf225464b40ae561f851. Of Workers it lists border only; draw is
# another one that users look for.
LISTED = """
anim|background|blur|border|brightness|compression|contrast|dpr|draw|fit|flip|format f|gamma|gravity g|height h|metadata
onerror|quality q|rotate|saturation|segment|sharpen|slow-connection-quality scq|trim|trim.left|trim.top|trim.width
trim.height|width w|zoom face-zoom|upscale
"""


def test_the_table_has_every_option() -> None:
    options = {tuple(names.split()) for line in LISTED.strip().splitlines() for names in line.split("|")}
    assert {covered.names for covered in OPTION_MAPPINGS} == options


def test_all_are_covered_that_are_of_urls() -> None:
    assert count_supported(OPTION_MAPPINGS) == (29, 29)
    assert {covered.name for covered in OPTION_MAPPINGS if not covered.parse} == {"border", "draw"}


def test_a_url_without_a_format_chooses_none_by_the_viewer() -> None:
    assert parse("/cdn-cgi/image/w=5/a.jpg", SOME).plan == Plan("a.jpg", width=5, format="auto-legacy")
