"""Users' own clients: dicomweb-client over HTTP, and the requests of OHIF's data source."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from pydicom import dcmread

from local import tool_venvs
from medical.access import Grant, make_token, sign_target
from medical.instance import Instance

from .files import believed, make, save, shipped
from .world import KEY, NOW_S, World, body_of

tool_venvs.make_importable("dicomweb")

from dicomweb_client.api import DICOMwebClient  # noqa: E402

ALL = make_token(Grant(NOW_S + 600, "*"), KEY)
CT, MR = "1.2.3.1", "1.2.3.2"


class Api(BaseHTTPRequestHandler):
    """The HTTP API: a request becomes an event (payload format 2.0)."""

    respond: Callable[[dict[str, Any]], Any]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        http = {"http": {"method": "GET"}}
        found = body = self.respond(
            {"rawPath": path, "rawQueryString": query, "headers": headers, "requestContext": http}
        )[0]
        body = body_of(found | {"statusCode": 200})
        self.send_response(found["statusCode"])
        for name, value in (found["headers"] | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    handler = type("Handler", (Api,), {"respond": staticmethod(world.app.respond)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/dicomweb"
        server.shutdown()


@pytest.fixture(scope="module")
def studies(world: World) -> dict[str, list[Instance]]:
    """Three studies: of CT with two series of two slices, of MR with frames, and a file of another maker."""
    world.empty()
    ramp = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
    found: dict[str, list[Instance]] = {"CT": [], "MR": [], "shipped": []}
    for series in (1, 2):
        for number in (1, 2):
            uids = {"StudyInstanceUID": CT, "SeriesInstanceUID": f"{CT}.{series}", "SeriesNumber": series}
            body = save(make(ramp + 10 * number, InstanceNumber=number, PatientName="Doe^Jane", **uids))
            found["CT"].append(world.read(world.upload(body)))
    frames = np.stack([ramp + frame for frame in range(5)])
    body = save(make(frames, StudyInstanceUID=MR, SeriesInstanceUID=f"{MR}.1", Modality="MR"))
    found["MR"].append(world.read(world.upload(body)))
    found["shipped"].append(world.read(world.upload(believed(shipped("MR_small_jpeg_ls_lossless.dcm")))))
    return found


@pytest.fixture
def client(url: str, studies: dict[str, list[Instance]]) -> DICOMwebClient:
    return DICOMwebClient(url, headers={"Authorization": f"Bearer {ALL}"})


def values(documents: Any, tag: str) -> list[Any]:
    return [one[tag]["Value"][0] for one in documents]


def test_the_client_searches_studies(client: DICOMwebClient, studies: dict[str, list[Instance]]) -> None:
    uids = sorted(found[0].study for found in studies.values())
    everything = client.search_for_studies()
    assert values(everything, "0020000D") == uids
    assert [client.search_for_studies(limit=1, offset=at)[0]["0020000D"]["Value"][0] for at in range(3)] == uids
    assert client.search_for_studies(offset=3) == []
    [found] = client.search_for_studies(search_filters={"StudyInstanceUID": studies["CT"][0].study})
    assert (found["00201206"]["Value"], found["00201208"]["Value"], found["00080061"]["Value"]) == ([2], [4], ["CT"])
    assert "Value" not in found["00100010"], "no patient"
    assert len(client.search_for_studies(search_filters={"ModalitiesInStudy": "MR"})) == 2
    assert client.search_for_studies(search_filters={"PatientName": "Doe*"}) == []
    assert len(client.search_for_studies(search_filters={"PatientName": "*"}, fuzzymatching=True)) == 3


def test_the_client_searches_series_and_instances(client: DICOMwebClient, studies: dict[str, list[Instance]]) -> None:
    study, series = studies["CT"][0].study, studies["CT"][0].series
    assert sorted(values(client.search_for_series(study), "00200011")) == [1, 2]
    [only] = client.search_for_series(study, search_filters={"SeriesNumber": 2}, fields=["Modality", "PatientPosition"])
    assert (only["00200011"]["Value"], only["00080060"]["Value"]) == ([2], ["CT"])
    assert len(client.search_for_instances(study)) == 4
    assert len(client.search_for_instances(study, series)) == 2
    [second] = client.search_for_instances(study, series, search_filters={"InstanceNumber": 2}, fields=["00280030"])
    assert second["00200013"]["Value"] == [2]
    assert len(client.search_for_instances(study, limit=3, offset=2)) == 2
    by_series = client.search_for_instances(study, search_filters={"SeriesInstanceUID": series})
    assert set(values(by_series, "0020000E")) == {series}


def modality_values(part: bytes, instance: Instance) -> np.ndarray:
    """Return what a viewer shows: numbers, with slope and intercept of the metadata."""
    scale = instance.scale(1)
    return np.asarray(np.frombuffer(part, "<u2") * scale.slope + scale.intercept)


def test_the_client_retrieves_metadata_and_frames(client: DICOMwebClient, studies: dict[str, list[Instance]]) -> None:
    study = studies["CT"][0].study
    assert len(client.retrieve_study_metadata(study)) == 4
    assert len(client.retrieve_series_metadata(study, studies["CT"][0].series)) == 2
    [one] = studies["MR"]
    document = client.retrieve_instance_metadata(one.study, one.series, one.instance)
    assert document["00280008"]["Value"] == [5]
    ramp = np.arange(64 * 48, dtype="<u2")
    octets = ("application/octet-stream", "*")
    for frames in ([1], [2, 4], [5, 1, 3]):
        parts = client.retrieve_instance_frames(one.study, one.series, one.instance, frames, media_types=(octets,))
        assert len(parts) == len(frames)
        for frame, part in zip(frames, parts, strict=True):
            assert np.array_equal(modality_values(part, one), ramp + frame - 1)
    rendered = client.retrieve_instance_rendered(one.study, one.series, one.instance, media_types=("image/png",))
    assert rendered.startswith(b"\x89PNG")
    [other] = studies["shipped"]
    [part] = client.retrieve_instance_frames(other.study, other.series, other.instance, [1], media_types=(octets,))
    pixels = dcmread(shipped("MR_small_jpeg_ls_lossless.dcm")).pixel_array
    assert np.array_equal(modality_values(part, other).reshape(pixels.shape), pixels)


def request(url: str, accept: str = "", token: str = ALL) -> tuple[int, dict[str, str], bytes]:
    headers = {"accept": accept} if accept else {}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    try:
        with urlopen(Request(url, headers=headers)) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        return error.code, dict(error.headers), error.read()


OHIF = (
    "/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060",
    "/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060&PatientName=*&00100020=*",
    "/studies?StudyInstanceUID={study}&limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060",
    "/studies/{study}/series?includefield=00080021%2C00080031%2C0008103E%2C00200011",
    "/studies/{study}/instances?includefield=all",
    "/studies/{study}/series/{series}/metadata",
)
"""Requests of OHIF's DICOMweb data source (qidoSupportsIncludeField), with the headers of its client."""


def test_a_study_is_opened_by_the_requests_of_ohif(url: str, studies: dict[str, list[Instance]]) -> None:
    first = studies["CT"][0]
    for path in OHIF:
        target = path.format(study=first.study, series=first.series)
        status, headers, body = request(url + target, "application/dicom+json")
        assert (status, headers["content-type"]) == (200, "application/dicom+json"), target
        assert json.loads(body), target
    frame = f"/studies/{first.study}/series/{first.series}/instances/{first.instance}/frames/1"
    accept = "multipart/related; type=application/octet-stream; transfer-syntax=*"
    assert request(url + frame, accept)[0] == 200


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/studies", "application/dicom+xml"),
        ("/studies/{study}/metadata", 'multipart/related; type="application/dicom+xml"'),
        ("/studies/{study}/series/{series}/instances/{instance}/frames/1", 'multipart/related; type="image/jp2"'),
        ("/studies/{study}/series/{series}/instances/{instance}/rendered", "video/mp4"),
    ],
)
def test_what_is_not_sent_is_406(url: str, studies: dict[str, list[Instance]], path: str, accept: str) -> None:
    one = studies["CT"][0]
    names = {"study": one.study, "series": one.series, "instance": one.instance}
    status, _, body = request(url + path.format(**names), accept)
    assert (status, json.loads(body)["code"]) == (406, "not-acceptable")


def test_a_token_of_one_study_finds_that_study(url: str, studies: dict[str, list[Instance]]) -> None:
    own, other = studies["CT"][0].study, studies["MR"][0].study
    token = make_token(Grant(NOW_S + 600, own), KEY)
    assert values(json.loads(request(f"{url}/studies", token=token)[2]), "0020000D") == [own]
    assert json.loads(request(f"{url}/studies?StudyInstanceUID={other}", token=token)[2]) == []
    assert request(f"{url}/studies/{other}/instances", token=token)[0] == 403
    assert request(f"{url}/studies", token="")[0] == 403
    signed = sign_target("/dicomweb/studies?limit=1", KEY, NOW_S + 60)
    status, headers, body = request(url.removesuffix("/dicomweb") + signed, token="")
    assert (status, len(json.loads(body))) == (200, 1)
    assert headers["warning"] == '299 darkroom "There are 2 additional results that can be requested"'


def test_a_search_names_only_uids_of_the_stack(url: str, studies: dict[str, list[Instance]]) -> None:
    for value in ("../quarantine", "2.25.1/../..", "*/*", "2.25.999"):
        assert json.loads(request(f"{url}/studies?StudyInstanceUID={value}")[2]) == []
    assert request(f"{url}/studies?StudyInstanceUId=1")[0] == 400
