"""Layers, built for both processors."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from cli.models.fetch_models import PLACES, is_there
from darkroom_analysis.models.catalogue import SMALL_MODELS, load_catalogue
from tests.images.photographs import jpeg_photo
from tests.images.signed_files import sign_upload
from tools.default_deployment import describe_deployment
from tools.release.layers import BuildError

from .building import LAYERS, build, build_layer, content_hash, load_handler, run_alone
from .foreign_python import run_python
from .functions import FUNCTIONS, full_stack, id_of, layers_of
from .stack import ROOT, Stack

ELF_MACHINES = {"arm64": 183, "x86_64": 62}
"""``e_machine`` of an ELF header: EM_AARCH64, EM_X86_64."""

MAX_UNZIPPED_BYTES = 240 * 1024 * 1024
"""Lambda allows 250 MiB for all layers of a function and its own code. Functions without models need far less."""

MAX_ARCHIVES_BYTES = 50_000_000

MAX_FONTS_BYTES = 18 * 1024 * 1024
"""Each cold start of a function with the layer fetches it."""

MAX_WITHOUT_MODELS_BYTES = 162 * 1024 * 1024
"""Of the layers of a function."""

HASH_BASED, CHECK_SOURCE = 1, 2
"""Flags of a ``.pyc`` file (PEP 552)."""

pytestmark = pytest.mark.slow
"""Building all layers takes a processor for 40 s. Tests of the stack run functions from their layers."""

type Built = dict[str, Path]


@pytest.fixture(
    scope="session",
    params=ELF_MACHINES,
)
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def built(arch: str) -> Built:
    return {logical_id: build_layer(logical_id, arch) for logical_id in LAYERS}


def files(built: Built) -> list[Path]:
    return [path for folder in built.values() for path in folder.rglob("*") if path.is_file()]


def test_every_shared_object_is_for_the_target(built: Built, arch: str) -> None:
    objects = [path for path in files(built) if ".so" in path.suffixes]
    names = " ".join(path.name for path in objects)
    assert all(part in names for part in ("libvips", "_libvips", "_obstore", "_imaging.", "_pi_heif", "_cffi_backend"))
    for path in objects:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", header, 18)[0] == ELF_MACHINES[arch], path


def test_every_source_has_bytecode_that_nothing_invalidates(built: Built) -> None:
    sources = [path for path in files(built) if path.suffix == ".py"]
    assert {"errors.py", "vimage.py", "store.py", "Image.py"} <= {path.name for path in sources}
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        head = compiled.read_bytes()[:16]
        assert head[:4] == importlib.util.MAGIC_NUMBER
        assert struct.unpack_from("<I", head, 4)[0] == HASH_BASED & ~CHECK_SOURCE
        assert head[8:] == importlib.util.source_hash(source.read_bytes())
    assert sum(path.suffix == ".pyc" for path in files(built)) == len(sources)


def test_functions_without_models_have_much_room(built: Built) -> None:
    for function in set(FUNCTIONS) - {"infer"}:
        carried = {logical_id: built[logical_id] for logical_id in layers_of(function)}
        assert sum(path.stat().st_size for path in files(carried)) < MAX_WITHOUT_MODELS_BYTES, function


def test_a_default_deployment_has_at_most_50_mb_of_layers(built: Built, tmp_path: Path) -> None:
    """As archives, which `sam deploy` uploads."""
    total = 0
    for logical_id in describe_deployment().layers:
        archive = shutil.make_archive(str(tmp_path / logical_id), "zip", built[logical_id])
        total += Path(archive).stat().st_size
    assert total <= MAX_ARCHIVES_BYTES


def test_botocore_has_the_last_version_of_each_service(built: Built) -> None:
    [data] = (built["PipelineLayer"] / "python" / "botocore").glob("data")
    versions = [[path.name for path in service.iterdir()] for service in data.iterdir() if service.is_dir()]
    assert ["2020-05-31"] in versions, "of CloudFront, which has others before"
    assert {len(found) for found in versions} == {1}


def test_everybody_may_read_and_licences_travel_along(built: Built) -> None:
    for path in files(built):
        assert path.stat().st_mode & 0o444 == 0o444, path
    for package in ("pyvips_binary", "pillow", "pi_heif"):
        [info] = (built["ImagingLayer"] / "python").glob(f"{package}-*.dist-info")
        assert list(info.glob("licenses/*"))


def test_nothing_of_development_is_in(built: Built) -> None:
    assert [path for path in files(built) if path.suffix in (".pyi", ".h", ".mk") or path.name == "RECORD"] == []
    assert {path.name for folder in built.values() for path in folder.iterdir()} == {"python", "models", "fonts", "jxl"}


def test_the_models_are_those_that_are_declared(built: Built) -> None:
    """Byte for byte, with the licences of the wheels that they come from; a function sees them in /opt/models."""
    folder = built["InferenceLayer"] / "models"
    artefacts = PLACES["lambda"].artefacts
    assert all(is_there(artefact, folder) for artefact in artefacts)
    assert {path.name for path in folder.iterdir()} == {"licences", *(artefact.name for artefact in artefacts)}
    kept = {path.name.rpartition("-")[0] for path in (folder / "licences").iterdir()}
    assert kept == {artefact.wheel for artefact in artefacts}


def test_fonts_draw_every_script_from_the_layer(built: Built, arch: str, tmp_path: Path) -> None:
    """The reduced font has the glyphs of the whole one, in the shapes of each language; a rare character is missing."""
    folder = built["FontsLayer"] / "fonts"
    assert {path.name.partition("-")[0] for path in (folder / "licences").iterdir()} == {
        "manimgx_fonts",
        "manimgx_fonts_cjk",
    }
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < MAX_FONTS_BYTES
    code = """
import hashlib, json, os, pathlib, sys
from darkroom.imaging.fonts import VARIABLE, write_configuration
os.environ[VARIABLE] = str(write_configuration([pathlib.Path(sys.argv[1])]))
from darkroom.overlays.language import Overlay
from darkroom.overlays.text import render_text
from darkroom.plan.geometry.layout import Size
def draw(text, lang="", **more):
    image = render_text(Overlay("text", text, lang=lang, **more), Size(800, 600))
    return hashlib.sha256(image.write_to_memory()).hexdigest()
texts = ("Sale", "تخفيضات", "מבצע", "बिक्री", "限时特价", "セール", "할인", "ไทย", "🔥")
print(json.dumps([
    [draw(text) for text in texts], [draw(text, bold=True) for text in texts],
    [draw("直", lang) for lang in ("ja", "zh-cn", "zh-tw", "ko")],
    [draw("𠀡"), draw("𠀢")],
]))
"""
    homes = os.pathsep.join(str(built[name] / "python") for name in ("DarkroomLayer", "ImagingLayer"))
    variables = {"PYTHONPATH": homes, "TMPDIR": str(tmp_path)}
    done = run_python(arch, code, str(folder), variables=variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    regular, bold, languages, missing = json.loads(done.stdout)
    assert len({*regular, *bold}) == len(regular) + len(bold)
    assert len({*languages}) > 1
    assert len({*missing}) == 2, "the box of a missing character shows its number"


def test_equal_sources_give_equal_layers(built: Built, arch: str, tmp_path: Path) -> None:
    for logical_id, folder in built.items():
        assert content_hash(build(logical_id, arch, tmp_path / logical_id)) == content_hash(folder)


def test_an_unknown_processor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="riscv64"):
        build("DarkroomLayer", "riscv64", tmp_path / "layer")


def test_native_code_runs_from_the_layers(built: Built, arch: str) -> None:
    code = """
import io, json, sys
import darkroom.services.serve.transform, obstore, pi_heif, PIL.ImageCms, pyvips
image = pyvips.Image.black(8, 8).write_to_buffer(".png")
opened, profile = PIL.Image.open(io.BytesIO(image)).convert("RGB"), PIL.ImageCms.createProfile("sRGB")
same = PIL.ImageCms.profileToProfile(opened, profile, profile)
print(json.dumps([pyvips.API_mode, same.size, [m.__file__ for m in (obstore, pyvips, PIL, darkroom)]]))
"""
    path = os.pathsep.join(str(folder / "python") for folder in built.values())
    done = run_python(arch, code, variables={"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    api_mode, size, homes = json.loads(done.stdout)
    assert api_mode
    assert size == [8, 8]
    assert all(any(home.startswith(str(folder)) for folder in built.values()) for home in homes)


def list_homes(built: Built, function: str) -> list[str]:
    """The folders that ``function`` imports from: its own and those of its layers."""
    layers = (str(built[layer] / "python") for layer in layers_of(function))
    return [str(ROOT / "functions" / function), *layers]


def run_with_layers(built: Built, function: str, code: str, arch: str) -> Any:
    """The JSON document that ``code`` prints in a process with the layers and the environment of ``function``."""
    return run_alone(code, list_homes(built, function), full_stack().variables(id_of(function)), arch)


def test_further_formats_are_decoded_from_the_layers(built: Built, arch: str) -> None:
    code = f"""
import json
from pathlib import Path
from darkroom_pipeline.conversion.converter import Converter
from darkroom.plan.limits import Limits
converter = Converter(("jxl",), wall_s=300)
data = Path({str(ROOT / "tests" / "images" / "jxl" / "lossy.jxl")!r}).read_bytes()
print(json.dumps(len(converter.convert(data, converter.read_header(data, Limits()), Limits()))))
"""
    assert run_with_layers(built, "ingest", code, arch) > 1000


def test_content_credentials_are_read_by_the_library_of_their_layer(built: Built, arch: str, tmp_path: Path) -> None:
    signed = tmp_path / "signed.jpg"
    signed.write_bytes(sign_upload(jpeg_photo()))
    code = f"""
import json
from pathlib import Path
from darkroom_pipeline.content_credentials.reader import read_credentials
print(json.dumps(read_credentials(Path({str(signed)!r}).read_bytes(), "image/jpeg").document["state"]))
"""
    homes, variables = list_homes(built, "ingest"), full_stack().variables("IngestFunction")
    assert run_alone(code, homes, variables, arch, tmp_path) == "valid"


@pytest.mark.parametrize("function", ["ingest", "refine"])
def test_a_deployment_without_content_credentials_starts_without_their_layer(
    built: Built, arch: str, function: str
) -> None:
    homes = [home for home in list_homes(built, function) if "CredentialsLayer" not in home]
    assert len(homes) == len(list_homes(built, function)) - 1
    variables = Stack(ContentCredentials="off").variables(id_of(function))
    assert "c2pa" not in load_handler(homes, variables, arch)


def test_the_layer_has_the_code_of_all_dataclasses_of_a_cold_start(built: Built, arch: str) -> None:
    """A class that is missing is compiled at each cold start: name its module in compile_dataclasses.py."""
    code = """
import dataclasses, json, sys
import darkroom
executed, missing, use_stored = [], [], vars(dataclasses)["exec"]
def execute(text, *scopes):
    executed.append(text)
    before = len(compiled)
    use_stored(text, *scopes)
    if len(compiled) > before:
        missing.append(scopes[0]["__name__"])
compiled = []
sys.addaudithook(lambda event, _: compiled.append(event) if event == "compile" else None)
vars(dataclasses)["exec"] = execute
import app
from darkroom.services.serve.rendering import load_renderer
load_renderer()
print(json.dumps([len(executed), missing]))
"""
    executed, missing = run_with_layers(built, "transform", code, arch)
    assert executed > 50
    assert missing == []


def test_libraries_have_no_symbols_for_debuggers(built: Built) -> None:
    """Section headers are gone, and what they described after the last segment."""
    objects = [path for path in files(built) if ".so" in path.suffixes]
    assert objects
    for path in objects:
        head = path.read_bytes()[:64]
        assert struct.unpack_from("<Q", head, 0x28) + struct.unpack_from("<2H", head, 0x3C) == (0, 0, 0), path


def test_no_shared_object_lacks_another(built: Built, arch: str) -> None:
    """Files left out of a layer are not linked by the rest of it."""
    objects = [str(path) for path in files(built) if ".so" in path.suffixes]
    assert objects
    code = "import ctypes, sys; [ctypes.CDLL(name) for name in sys.argv[1:]]"
    done = run_python(arch, code, *objects, variables={})
    assert done.returncode == 0, done.stderr


def test_models_run_from_the_layers(built: Built, arch: str) -> None:
    code = """
import sys, pathlib, numpy, onnxruntime
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.model_set import ModelSet
models = ModelSet(catalogue.load_catalogue(catalogue.SMALL_MODELS), pathlib.Path(sys.argv[1]))
found = models.detect(numpy.zeros((64, 64, 3), numpy.uint8), models.tasks)
print(*found, numpy.__file__, onnxruntime.__file__)
"""
    homes = os.pathsep.join(str(built[name] / "python") for name in ("DarkroomLayer", "InferenceLayer"))
    models = str(built["InferenceLayer"] / "models")
    done = run_python(arch, code, models, variables={"PYTHONPATH": homes})
    assert done.returncode == 0, done.stderr
    *tasks, numpy_home, runtime_home = done.stdout.split()
    assert tuple(tasks) == load_catalogue(SMALL_MODELS).tasks
    assert numpy_home.startswith(str(built["InferenceLayer"]))
    assert runtime_home.startswith(str(built["InferenceLayer"]))


@pytest.mark.sample(12)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_its_layers_are_all_that_a_function_needs(built: Built, arch: str, function: str) -> None:
    load_handler(list_homes(built, function), full_stack().variables(id_of(function)), arch)
