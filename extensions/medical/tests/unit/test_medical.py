"""Medical images, as far as they need no DICOM library: windows, requests, access, headers, UIDs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from darkroom.errors import (
    BadOption,
    BadSignature,
    BadToken,
    DamagedSource,
    DarkroomError,
    DuplicateOption,
    Expired,
    NotAcceptable,
    NotGranted,
    OverLimits,
    SourceMissing,
    TypeNotAllowed,
    UnknownOption,
    Unsigned,
)
from medical import limits
from medical.access import Grant, authorise, make_token, sign_target
from medical.appearance import Region
from medical.header import DEFLATED, Encoding, inflate, read_header, walk
from medical.instance import Instance, Scale
from medical.metadata import describe_instance
from medical.profile import load_profile
from medical.render import check_region, choose_level, fit
from medical.requests import (
    DICOM_JSON,
    MULTIPART,
    OCTETS,
    Resource,
    choose_frames,
    choose_json,
    choose_media_type,
    parse_appearance,
    parse_path,
    parse_query,
)
from medical.search import parse_search
from medical.text import Box, outline
from medical.uids import REPLACED, replace_uid
from medical.voi import LookupTable, full_range, parse_voi
from medical.window import LINEAR, LINEAR_EXACT, SIGMOID, Window
from tests.fixed_keys import FixedKeys

KEY = "0123456789abcdef0123456789abcdef"
STUDY, SERIES, INSTANCE = "2.25.111", "2.25.222", "2.25.333"
NOW_S = 1_800_000_000


# PS3.3, C.11.2.1.2.1, note 2: the pseudo-code, for one value.
def linear(x: float, center: float, width: float) -> float:
    if x <= center - 0.5 - (width - 1) / 2:
        return 0.0
    if x > center - 0.5 + (width - 1) / 2:
        return 1.0
    return (x - (center - 0.5)) / (width - 1) + 0.5


def linear_exact(x: float, center: float, width: float) -> float:
    if x <= center - width / 2:
        return 0.0
    if x > center + width / 2:
        return 1.0
    return (x - center) / width + 0.5


@pytest.mark.parametrize(("center", "width"), [(40, 400), (2048, 4096), (0, 1), (0.5, 2), (-600, 1500), (127.25, 3.5)])
def test_windows_follow_the_formulas_of_the_standard(center: float, width: float) -> None:
    values = np.concatenate([np.arange(-3000, 5000, 0.5), [center - 0.5, center + 0.5]])
    for function, formula in ((LINEAR, linear), (LINEAR_EXACT, linear_exact)):
        found = Window(center, width, function).apply(values)
        assert np.allclose(found, [formula(x, center, width) for x in values], atol=1e-12), function
    found = Window(center, width, SIGMOID).apply(values)
    near = np.abs(values - center) < 100 * width
    assert np.allclose(found[near], 1 / (1 + np.exp(-4 * (values[near] - center) / width)), atol=1e-12)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [(0, 0.5, LINEAR), (0, 0, LINEAR_EXACT), (0, -3, SIGMOID), (0, 10, "CUBIC"), (float("nan"), 10, LINEAR)],
)
def test_windows_that_the_standard_excludes_are_refused(center: float, width: float, function: str) -> None:
    with pytest.raises(BadOption):
        Window(center, width, function)


def test_a_lookup_table_extends_its_ends() -> None:
    table = LookupTable(-10, 10, (0, 512, 1023))
    assert table.apply(np.array([-99.0, -10, -9, -8, 99])).tolist() == [0, 0, 512 / 1023, 1, 1]
    assert parse_voi(table.to_document()) == table
    assert parse_voi(Window(1, 2, SIGMOID).to_document()) == Window(1, 2, SIGMOID)
    assert full_range(-5, 5).apply(np.array([-5.0, 0, 5])).tolist() == [0, 0.5, 1]


def instance(**changes: object) -> Instance:
    known: dict[str, object] = {
        "study": STUDY,
        "series": SERIES,
        "instance": INSTANCE,
        "state": "ready",
        "width": 512,
        "height": 256,
        "pages": 3,
        "colour": False,
        "inverted": True,
        "low": -1024.0,
        "high": 3071.0,
        "scales": (Scale(1.0, -1024.0),),
        "presets": ((Window(40, 400), LookupTable(0, 8, (1, 2))),),
        "levels": 2,
        "overlays": ((), (1, 2)),
    }
    return Instance(**{**known, **changes})  # type: ignore[arg-type]


def test_a_document_is_read_as_it_was_written() -> None:
    assert Instance.from_json(instance().to_json()) == instance()
    several = instance(scales=(Scale(1, 2), Scale(3, 4), Scale(5, 6)))
    assert several.scale(2) == Scale(3, 4)
    assert Instance.from_json(several.to_json()).scale(3) == Scale(5, 6)
    with pytest.raises(ValueError, match="version"):
        Instance.from_json(instance().to_json().replace(b'"version":1', b'"version":2'))


def test_metadata_describe_the_pages_as_they_are_served() -> None:
    found = describe_instance(instance(metadata={"00280301": {"vr": "CS", "Value": ["NO"]}}))
    assert found["00280004"]["Value"] == ["MONOCHROME1"]
    assert (found["00281052"]["Value"], found["00281053"]["Value"]) == ([-1024.0], [1.0])
    assert (found["00281050"]["Value"], found["00281051"]["Value"]) == ([40], [400])
    assert found["00120062"]["Value"] == ["YES"]
    codes = [item["00080100"]["Value"][0] for item in found["00120064"]["Value"]]
    assert codes == ["113100", "113101"]
    assert "00281052" not in describe_instance(instance(scales=(Scale(1, 0), Scale(2, 0), Scale(3, 0))))


BASE = f"/dicomweb/studies/{STUDY}/series"


@pytest.mark.parametrize(
    ("path", "kind", "frames"),
    [
        (BASE, "series", ()),
        (f"/dicomweb/studies/{STUDY}/instances", "instances", ()),
        (f"/dicomweb/studies/{STUDY}/metadata", "metadata", ()),
        (f"{BASE}/{SERIES}/instances", "instances", ()),
        (f"{BASE}/{SERIES}/metadata", "metadata", ()),
        (f"{BASE}/{SERIES}/instances/{INSTANCE}/metadata", "metadata", ()),
        (f"{BASE}/{SERIES}/instances/{INSTANCE}/rendered", "rendered", ()),
        (f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/7", "frames", (7,)),
        (f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/7,1,7", "frames", (7, 1, 7)),
        (f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/7/rendered", "rendered", (7,)),
    ],
)
def test_paths_name_resources(path: str, kind: str, frames: tuple[int, ...]) -> None:
    found = parse_path(path)
    assert (found.kind, found.study, found.frames) == (kind, STUDY, frames)


def test_all_studies_are_a_resource() -> None:
    assert parse_path("/dicomweb/studies") == Resource("studies", "")
    for frames in (",".join(["1"] * 101), "1,2/rendered"):
        with pytest.raises(BadOption):
            parse_path(f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/{frames}")


@pytest.mark.parametrize(
    "path",
    [
        "/dicomweb/studies/",
        "/dicomweb/instances",
        f"/dicomweb/studies/{STUDY}",
        f"{BASE}/{SERIES}",
        f"{BASE}/{SERIES}/instances/{INSTANCE}",
        f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/0",
        f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/1/pixels",
        f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/1,",
        f"{BASE}/{SERIES}/instances/{INSTANCE}/frames/1-3",
        f"{BASE}/../{SERIES}/metadata",
        "/dicomweb/studies/1.2.3/series",
        f"{BASE}\n",
    ],
)
def test_other_paths_are_missing(path: str) -> None:
    with pytest.raises(SourceMissing):
        parse_path(path)


def test_an_appearance_is_parsed() -> None:
    query = "window=40,400,linear-exact&viewport=256,128,10,20,30.5,40&quality=70&overlays=on&preset=2"
    found = parse_appearance(parse_query(query), "image/png, image/jpeg;q=0.5")
    assert found.voi == Window(40, 400, LINEAR_EXACT)
    assert (found.viewport, found.region) == ((256, 128), Region(10, 20, 30.5, 40))
    assert (found.quality, found.overlays, found.preset, found.media_type) == (70, True, 2, "image/png")


@pytest.mark.parametrize(
    "query",
    [
        *("window=40", "window=40,400,linear,1", "window=a,b", "window=1e999,2", "window=40,0", "window=40,400,cubic"),
        *("viewport=0,5", "viewport=5", "viewport=5,5,1", "viewport=99999,5", "viewport=-1,5"),
        *("quality=0", "quality=101", "quality=x", "overlays=1", "preset=0", "width=5", "window=1,2&window=1,2"),
        "window=" + "1" * 600,
        "window=%ff",
    ],
)
def test_invalid_parameters_are_refused(query: str) -> None:
    with pytest.raises(BadOption):
        parse_appearance(parse_query(query), "")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "image/jpeg"),
        ("*/*", "image/jpeg"),
        ("image/png", "image/png"),
        ("image/webp, image/png;q=0.8, image/jpeg;q=0.9", "image/jpeg"),
        ("text/html, image/*;q=0.1", "image/jpeg"),
    ],
)
def test_the_media_type_is_negotiated(accept: str, expected: str) -> None:
    assert choose_media_type(accept) == expected


def test_other_media_types_are_refused() -> None:
    for accept in ("video/mp4", "image/png;q=0", "image/gif, text/html"):
        with pytest.raises(NotAcceptable):
            choose_media_type(accept)


FRAMES = 'multipart/related; type="application/octet-stream"'


@pytest.mark.parametrize(
    ("choose", "accept", "expected"),
    [
        (choose_json, "", DICOM_JSON),
        (choose_json, "application/dicom+json", DICOM_JSON),
        (choose_json, "application/json", "application/json"),
        (choose_json, 'multipart/related; type="application/dicom+xml", application/dicom+json;q=0.5', DICOM_JSON),
        (choose_json, "text/html, */*;q=0.1", DICOM_JSON),
        (choose_json, "application/dicom+xml", ""),
        (choose_json, 'multipart/related; type="application/dicom+xml"', ""),
        (choose_json, "application/dicom+json;q=0", ""),
        (choose_frames, "", MULTIPART),
        (choose_frames, "*/*", MULTIPART),
        (choose_frames, FRAMES, MULTIPART),
        (choose_frames, f"{FRAMES}; transfer-syntax=*", MULTIPART),
        (choose_frames, f"{FRAMES}; transfer-syntax=1.2.840.10008.1.2.1", MULTIPART),
        (choose_frames, f"multipart/related; type=image/jls, {FRAMES};q=0.5", MULTIPART),
        (choose_frames, "application/octet-stream", OCTETS),
        (choose_frames, f"{FRAMES}; transfer-syntax=1.2.840.10008.1.2.4.90", ""),
        (choose_frames, 'multipart/related; type="image/jp2"', ""),
        (choose_frames, "image/jpeg", ""),
    ],
)
def test_media_types_of_metadata_and_frames(choose: Callable[[str], str], accept: str, expected: str) -> None:
    if expected:
        assert choose(accept) == expected
    else:
        with pytest.raises(NotAcceptable):
            choose(accept)


def test_a_search_is_parsed() -> None:
    found = parse_search(
        "limit=25&offset=50&fuzzymatching=false&includefield=00081030,Rows&includefield=00280011&PatientName=*&"
        "00080060=CT&ModalitiesInStudy=CT%5CMR&SeriesNumber=&exp=1&s=x"
    )
    assert (found.limit, found.offset, found.access) == (25, 50, {"exp": "1", "s": "x"})
    assert found.includes == {"00081030", "00280010", "00280011"}
    assert found.filters == {"00100010": "*", "00080060": "CT", "00080061": "CT\\MR", "00200011": ""}
    assert parse_search("includefield=all").includes_all


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=-1", BadOption),
        ("limit=x", BadOption),
        ("offset=99999999", BadOption),
        ("fuzzymatching=maybe", BadOption),
        ("limit=1&limit=2", DuplicateOption),
        ("Modality=CT&00080060=MR", DuplicateOption),
        ("Modalty=CT", UnknownOption),
        ("x" * 5000, BadOption),
    ],
)
def test_other_searches_are_refused(query: str, error: type[DarkroomError]) -> None:
    with pytest.raises(error):
        parse_search(query)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        ("Modality=CT", True),
        ("Modality=C*", True),
        ("Modality=?T", True),
        ("Modality=MR", False),
        ("Modality=MR,CT", True),
        ("Modality=.T", False),
        ("InstanceNumber=7", True),
        ("InstanceNumber=70", False),
        ("PatientName=*", True),
        ("PatientName=Doe*", False),
        ("PatientName=", True),
        ("00100020=123", False),
        ("Modality=CT&InstanceNumber=8", False),
    ],
)
def test_attributes_are_matched(query: str, matches: bool) -> None:
    document = {
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00200013": {"vr": "IS", "Value": [7]},
        "00100010": {"vr": "PN"},
    }
    assert parse_search(query).matches(document) is matches


def test_sizes_fit_into_the_viewport_and_choose_a_copy() -> None:
    whole = Region(0, 0, 512, 256)
    assert fit(whole, None) == (512, 256)
    assert fit(whole, (100, 100)) == (100, 50)
    assert fit(whole, (2048, 2048)) == (2048, 1024)
    one = instance()
    assert [choose_level(one, whole, (width, width // 2)) for width in (512, 257, 256, 128, 5)] == [0, 0, 1, 2, 2]
    assert check_region(Region(500, 200, 100, 100), one) == Region(500, 200, 12, 56)
    with pytest.raises(BadOption):
        check_region(Region(512, 0, 10, 10), one)


def request(path: str = BASE, query: str = "", token: str = "", scheme: str = "Bearer") -> dict[str, object]:
    headers = {"authorization": f"{scheme} {token}"} if token else {}
    return {"rawPath": path, "rawQueryString": query, "headers": headers}


def attempt(event: dict[str, object], study: str = STUDY, now_s: float = NOW_S) -> type[DarkroomError] | None:
    try:
        authorise(event, study, parse_query(str(event["rawQueryString"])), FixedKeys((KEY,)), now_s)
    except DarkroomError as error:
        return type(error)
    return None


def test_a_token_is_for_its_study_until_it_expires() -> None:
    token = make_token(Grant(NOW_S + 60, STUDY), KEY)
    assert attempt(request(token=token)) is None
    assert attempt(request(token=make_token(Grant(NOW_S + 60, "*"), KEY)), SERIES) is None
    assert attempt(request(token=token), SERIES) is NotGranted
    assert attempt(request(token=token), now_s=NOW_S + 60) is BadToken
    assert attempt(request(token=make_token(Grant(NOW_S + 90_000, STUDY), KEY))) is BadToken, "too long"
    assert attempt(request(token=make_token(Grant(NOW_S + 60, STUDY), KEY[::-1]))) is BadToken
    assert attempt(request(token=token[:-1] + "A")) is BadToken
    assert attempt(request(token=token, scheme="Basic")) is BadToken
    with pytest.raises(BadToken):
        make_token(Grant(NOW_S, "1.2.840.1"), KEY)


def test_an_upload_token_and_a_signature_are_no_token() -> None:
    from darkroom.services import upload_requests

    upload = upload_requests.make_token(upload_requests.Grant(STUDY, NOW_S + 60), KEY)
    assert attempt(request(token=upload)) is BadToken


def test_a_signature_covers_path_and_query_until_it_expires() -> None:
    path, _, query = sign_target(f"{BASE}/x?window=40,400", KEY, NOW_S + 60).partition("?")
    assert attempt(request(path, query)) is None
    assert attempt(request(path, query), now_s=NOW_S + 60) is Expired
    assert attempt(request(path, query.replace("400", "401"))) is BadSignature
    assert attempt(request(f"{path}/y", query)) is BadSignature
    assert attempt(request(path, query.partition("&s=")[0])) is Unsigned
    assert attempt(request(path, "s=abc")) is BadOption, "a signature without an expiry"
    assert attempt(request(path)) is Unsigned


def test_replaced_uids_are_uids() -> None:
    for number in range(50):
        found = replace_uid(f"1.2.{number}", KEY)
        assert REPLACED.fullmatch(found)
        assert len(found) <= 64
        assert (int(found[5:]) >> 76 & 0xF, int(found[5:]) >> 62 & 3) == (8, 2), "a UUID of version 8"


def test_the_table_has_attributes_with_known_actions() -> None:
    table = load_profile()
    assert {
        "00100010": "Z",
        "00100020": "Z/D",
        "0020000D": "U",
        "00081010": "X/Z/D",
        "60xx3000": "X",
    }.items() <= table.items()
    assert set(table.values()) == {"D", "U", "X", "X/D", "X/Z", "X/Z/D", "X/Z/U*", "Z", "Z/D"}


def element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("OB", "OW", "SQ", "UN"):
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def dicom(*elements: bytes, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    meta = element(0x00020010, "UI", syntax.encode() + b"\0" * (len(syntax) % 2))
    return bytes(128) + b"DICM" + meta + b"".join(elements)


def number(tag: int, value: int) -> bytes:
    return element(tag, "US", struct.pack("<H", value))


IMAGE = (
    *(number(0x00280002, 1), element(0x00280004, "CS", b"MONOCHROME2 "), element(0x00280008, "IS", b"2 ")),
    *(number(0x00280010, 4), number(0x00280011, 6), number(0x00280100, 16), number(0x00280101, 12)),
)
PIXELS = element(0x7FE00010, "OW", bytes(96))


def test_a_header_is_read() -> None:
    found = read_header(dicom(*IMAGE, element(0x00401003, "SH", b"stat"), PIXELS))
    found.check()
    assert (found.rows, found.columns, found.frames, found.stored, found.priority) == (4, 6, 2, 12, "STAT")
    assert (found.photometric, found.pixel_bytes) == ("MONOCHROME2", 96)


def test_a_priority_is_found_in_the_first_bytes_and_in_sequences() -> None:
    item = element(0x00401003, "SH", b"STAT")
    nested = element(0x00400275, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item)
    body = dicom(*IMAGE, nested, element(0x7FE00010, "OW", bytes(96)))
    assert read_header(body[:-90], complete=False).priority == "STAT"
    with pytest.raises(DamagedSource):
        read_header(body[:-90])


def test_sequences_of_undefined_length_are_walked() -> None:
    open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    close_item, close_sequence = struct.pack("<HHI", 0xFFFE, 0xE00D, 0), struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    inner = open_item + number(0x00280010, 9) + close_item
    sequence = struct.pack("<HH", 0x0008, 0x1140) + b"SQ\0\0" + b"\xff" * 4 + inner + inner + close_sequence
    found = [(one.tag, one.depth) for one in walk(sequence + number(0x00280011, 1), Encoding("<", explicit=True))]
    assert found == [(0x00081140, 0), (0x00280010, 1), (0x00280010, 1), (0x00280011, 0)]


def declare(rows: int, columns: int, frames: int, pixels: bytes = PIXELS) -> bytes:
    texts = f"{frames}".encode()
    return dicom(
        *(number(0x00280002, 1), element(0x00280008, "IS", texts + b" " * (len(texts) % 2))),
        *(number(0x00280010, rows), number(0x00280011, columns), number(0x00280100, 16), pixels),
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (declare(65_535, 65_535, 1), OverLimits),
        (declare(4, 6, limits.MAX_FRAMES + 1), OverLimits),
        (declare(8_000, 8_000, 200), OverLimits),
        (declare(0, 6, 1), DamagedSource),
        (declare(5, 6, 2), DamagedSource),
        (dicom(*IMAGE), TypeNotAllowed),
        (dicom(*IMAGE, PIXELS, syntax="1.2.840.10008.1.2.4.102"), TypeNotAllowed),
        (dicom(*IMAGE, element(0x00280008, "IS", b"many"), PIXELS), DamagedSource),
        (dicom(number(0x00280010, 4), b"\x08\0\0\x11SQ"), DamagedSource),
        (dicom(struct.pack("<HHI", 0xFFFE, 0xE000, 0)), DamagedSource),
        (dicom(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)), DamagedSource),
        (dicom(struct.pack("<HH", 8, 0x1140) + b"LO\0\0"[:2] + b"\xff\xff"), DamagedSource),
        (b"\x89PNG", TypeNotAllowed),
    ],
)
def test_a_header_is_refused(body: bytes, kind: type[DarkroomError]) -> None:
    with pytest.raises(kind):
        read_header(body).check()


def test_a_deflated_data_set_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"".join((*IMAGE, PIXELS))) + packer.flush()
    read_header(dicom(packed, syntax=DEFLATED)).check()
    with pytest.raises(DamagedSource):
        read_header(dicom(packed[:-8], syntax=DEFLATED))
    monkeypatch.setattr(limits, "MAX_INFLATED_BYTES", 100)
    with pytest.raises(OverLimits):
        inflate(packed)


def test_a_line_is_covered_with_its_margins() -> None:
    from darkroom.findings import TextLine

    line = TextLine(((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2)), "DOE", 0.9)
    assert outline(line, 1000, 500) == Box(82, 32, 518, 118)
    assert outline(line, 10, 10) == Box(0, 0, 9, 6)
