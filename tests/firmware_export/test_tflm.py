"""The application for TFLite Micro: it compiles, reads the model's numbers, and gives what psog gives.

Its interpreter runs here in Python; its own sources around the interpreter are compiled, against stubs of
TFLite Micro's headers, and the parts that need no TFLite Micro are run.
"""

import ctypes
import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from psog.firmware_export.export import export_model
from psog.firmware_export.host_runtime import HostRuntime
from psog.firmware_export.interpreters import MicroInterpreter
from tests.random_nets import random_net, random_readings, with_embedding

STUBS = Path(__file__).parent / "tflm_stubs"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion", "-O1")
CXX = ("-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
COMPILERS = {"g++": (), "arm-none-eabi-g++": CORTEX_M4}
CASES = {"one plane": (0, "same"), "two planes": (1, "valid"), "no convolution": (3, "dense")}
READINGS = 2_000

needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
needs_cmake = pytest.mark.skipif(
    shutil.which("cmake") is None or shutil.which("g++") is None, reason="needs cmake and g++"
)


class Application:
    """An exported model, and the parts of its application that need no TFLite Micro, as a library."""

    def __init__(self, case: str, folder: Path) -> None:
        seed, plan = CASES[case]
        self.net, self.headset = random_net(seed, plan)
        self.readings = random_readings(np.random.default_rng(seed), self.net.normalisation, READINGS)
        self.report = export_model(self.net, self.headset, folder)
        self.folder = folder
        self.sources = folder / "tflm"
        library = folder.parent / f"{folder.name}.so"
        files = [str(self.sources / name) for name in ("gaze_model.c", "gaze_values.c")]
        subprocess.run(
            ["gcc", "-std=c99", *WARNINGS, "-shared", "-fPIC", *files, "-o", str(library)], check=True
        )
        self.library = ctypes.CDLL(str(library))

    def inputs(self):
        """(n, cells · planes) int8 of the readings by the application's C."""
        found = np.empty((READINGS, self.net.layout.size * self.net.normalisation.planes), np.int8)
        for row, reading in zip(found, self.readings, strict=True):
            self.library.gaze_normalise(address(reading), address(row))
        return found

    def head(self, features, weight=None):
        """(n, 4) outputs of (n, features) int8 by the application's C."""
        found = np.empty((len(features), 4), np.float32)
        for row, feature in zip(found, features, strict=True):
            self.library.gaze_head(
                address(feature), None if weight is None else address(weight), address(row)
            )
        return found

    def numbers(self, name, kind, count):
        """An array of gaze_values.c."""
        return np.array((kind * count).in_dll(self.library, name))


def address(values):
    return values.ctypes.data_as(ctypes.c_void_p)


@pytest.fixture(scope="module", params=CASES)
def application(request, tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    return Application(request.param, tmp_path_factory.mktemp("application") / "export")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """One application, where its numbers do not matter."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    return Application("two planes", tmp_path_factory.mktemp("one") / "export")


def test_readings_become_the_networks_input_to_the_bit(application):
    net = application.net
    expected = net.input(application.readings).reshape(READINGS, -1)
    np.testing.assert_array_equal(application.inputs(), expected)
    assert len(np.unique(expected)) > 200  # nearly all of int8, its ends too


def test_the_head_in_c_is_the_models(application):
    features = application.net.features(application.net.input(application.readings))
    expected = application.net.apply_head(features)
    np.testing.assert_allclose(application.head(features), expected, rtol=0, atol=1e-3)


def test_a_wearers_head_takes_the_models_place(application):
    net = application.net
    features = net.features(net.input(application.readings))
    weight = np.ascontiguousarray(net.head.weight[::-1], np.float32)
    expected = net.apply_head(features, weight)
    np.testing.assert_allclose(application.head(features, weight), expected, rtol=0, atol=1e-3)


def test_the_compiler_reads_back_every_number_as_it_was(application):
    weight = application.net.head.weight.astype(np.float32)
    read = application.numbers("gaze_head_weights", ctypes.c_float, weight.size)
    np.testing.assert_array_equal(read.astype(np.float32), weight.ravel())
    offset = application.net.normalisation.offset
    np.testing.assert_array_equal(application.numbers("gaze_offset", ctypes.c_int32, len(offset)), offset)


def test_tflite_micro_and_psogs_runtime_agree_on_the_applications_input(application):
    """Stock TFLite Micro, fed by the application's C, and the firmware's C on the same readings."""
    net = application.net
    x = application.inputs().reshape(READINGS, *net.layout.shape, net.normalisation.planes)
    interpreter = MicroInterpreter((application.folder / "gaze.tflite").read_bytes())
    features, gaze = interpreter(x)
    runtime = HostRuntime((application.folder / "gaze.psog").read_bytes())
    np.testing.assert_array_equal(features, runtime.features(application.readings))
    np.testing.assert_allclose(application.head(features), gaze, rtol=0, atol=1e-3)
    np.testing.assert_allclose(
        application.head(features), runtime.gaze(application.readings), rtol=0, atol=1e-3
    )


def test_the_self_test_is_the_networks_own(application):
    """What gaze_begin demands of TFLite Micro is what the network gives."""
    net = application.net
    reading = application.numbers("gaze_test_reading", ctypes.c_uint16, application.headset.sensor_count)
    features = application.numbers("gaze_test_features", ctypes.c_int8, net.feature_count)
    np.testing.assert_array_equal(net.features(net.input(reading[None].astype(np.uint16)))[0], features)


@pytest.mark.parametrize("age", ["before 2026", "2026"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_source_compiles_without_a_warning(compiler, age, one, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    flags = [*COMPILERS[compiler], *WARNINGS, f"-I{one.sources}", f"-I{one.folder}", "-c"]
    define = ["-DTFLM_STUB_2026"] if age == "2026" else []
    cxx = [compiler, *CXX, *define, *flags, f"-I{STUBS}"]
    subprocess.run([*cxx, str(one.sources / "gaze_tflm.cc"), "-o", str(tmp_path / "o.o")], check=True)
    c = [compiler.replace("g++", "gcc"), "-std=c99", *flags]
    for source in one.sources.glob("*.c"):
        subprocess.run([*c, str(source), "-o", str(tmp_path / "o.o")], check=True)


@needs_gxx
def test_the_interpreter_that_the_application_calls_is_in_tflite_micro(one, tmp_path):
    """Names and signatures, by the linker's symbols: the stubs tell of the interpreter what is true."""
    program = [*CXX, "-DTFLM_STUB_2026", f"-I{one.sources}", f"-I{one.folder}", f"-I{STUBS}"]
    source = str(one.sources / "gaze_tflm.cc")
    subprocess.run(["g++", *program, "-c", source, "-o", str(tmp_path / "o.o")], check=True)
    called = {name for name in symbols("-u", tmp_path / "o.o") if "MicroInterpreter" in name}
    assert {"AllocateTensors", "Invoke"} <= {member(name) for name in called}
    from tflite_micro import runtime

    assert called <= symbols("-D", Path(runtime._runtime.__file__))


def symbols(kind, file):
    """Mangled names in an object or library."""
    run = subprocess.run(["nm", kind, str(file)], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in run.stdout.splitlines() if line}


def member(mangled):
    """The last name of _ZN…16MicroInterpreter…; its length comes before it."""
    return re.split(r"MicroInterpreter\d*", mangled)[-1].split("E")[0]


@needs_gxx
def test_an_arena_in_which_nothing_fits_does_not_compile(one):
    flags = [*CXX, "-DGAZE_ARENA_BYTES=512", f"-I{one.sources}", f"-I{one.folder}"]
    run = subprocess.run(
        ["g++", *flags, f"-I{STUBS}", "-fsyntax-only", str(one.sources / "gaze_tflm.cc")],
        capture_output=True,
        text=True,
    )
    assert "at least 1024 expected" in run.stderr


@needs_cmake
def test_cmake_builds_it_and_a_tree_of_tflite_micro(one, tmp_path):
    tree = shutil.copytree(STUBS, tmp_path / "tree")
    (tree / "tensorflow/lite/micro/a_source.cc").write_text('extern "C" int of_the_tree() { return 0; }\n')
    run = cmake(one, tmp_path, f"-DPSOG_TFLM_DIR={tree}", "-DGAZE_ARENA_BYTES=9000")
    assert run.returncode == 0, run.stderr
    run = subprocess.run(
        ["cmake", "--build", str(tmp_path / "build"), "--target", "gaze", "gaze_tflm", "--verbose"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert {path.name for path in (tmp_path / "build").glob("*.a")} == {"libgaze.a", "libgaze_tflm.a"}
    assert "-DGAZE_ARENA_BYTES=9000" in run.stdout


@needs_cmake
def test_cmake_says_what_it_misses(one, tmp_path):
    assert "set -DPSOG_TFLM_DIR=FOLDER" in words(cmake(one, tmp_path, f"-DPSOG_TFLM_DIR={tmp_path}").stderr)
    assert "headers only" in cmake(one, tmp_path, f"-DPSOG_TFLM_DIR={STUBS}").stdout
    checkout = shutil.copytree(STUBS, tmp_path / "checkout")
    (checkout / "tensorflow/lite/micro/tools/make").mkdir(parents=True)
    (checkout / "tensorflow/lite/micro/tools/make/Makefile").write_text("")
    assert "make a tree of it" in words(cmake(one, tmp_path, f"-DPSOG_TFLM_DIR={checkout}").stderr)


def cmake(application, folder, *options):
    build = ["cmake", "-S", str(application.sources), "-B", str(folder / "build")]
    return subprocess.run([*build, *options], capture_output=True, text=True)


def words(text):
    """CMake breaks its messages into lines where it likes."""
    return " ".join(text.split())


def test_it_says_so_when_the_network_could_be_told_whose_eye_it_sees(tmp_path):
    net, headset = random_net(0, "same")
    for name, each in (
        ("told", with_embedding(net, 0, 4)),
        ("own", dataclasses.replace(net, embedding=None)),
    ):
        export_model(each, headset, tmp_path / name)
    config = {name: (tmp_path / name / "tflm" / "gaze_config.h").read_text() for name in ("told", "own")}
    assert "biases are those of a stranger" in words(config["told"].replace("*", ""))
    assert "stranger" not in config["own"]
