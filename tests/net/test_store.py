"""A model folder keeps every bit, and a damaged one is refused in one line."""

import json
import shutil

import numpy as np
import pytest

from psog.errors import ModelError
from psog.net.store import MODEL, REPORT, WEIGHTS, load_model, save_model


@pytest.fixture
def folder(tmp_path, trained):
    save_model(tmp_path / "model", *trained)
    return tmp_path / "model"


def rewrite(folder, change):
    """Change model.json as a hand would."""
    content = json.loads((folder / MODEL).read_text())
    change(content)
    (folder / MODEL).write_text(json.dumps(content))


def test_a_loaded_model_computes_the_same_bits_and_knows_its_origin(folder, trained):
    model = load_model(folder)
    wire = np.random.default_rng(0).integers(0, 65536, (500, 16)).astype(np.uint16)
    np.testing.assert_array_equal(model.net(wire), trained[0](wire))
    assert model.net.head.ridge == trained[0].head.ridge
    assert json.dumps(model.report, sort_keys=True) == json.dumps(trained[1], sort_keys=True)
    origin = json.loads((folder / MODEL).read_text())
    assert origin["training"]["seed"] == 3 and origin["data"]["users"] == 60


def test_an_existing_folder_is_kept_unless_forced(folder, trained, tmp_path):
    with pytest.raises(ModelError, match=r"already exists; .*--force"):
        save_model(folder, *trained)
    save_model(folder, *trained, force=True)
    load_model(folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_force_never_replaces_what_is_no_model(tmp_path, trained):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(ModelError, match="is not a model; --force replaces models only"):
        save_model(tmp_path / "thesis", *trained, force=True)
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_a_report_that_is_no_json_leaves_nothing_behind(tmp_path, trained):
    with pytest.raises(ModelError, match="not a number"):
        save_model(tmp_path / "model", trained[0], {"error_deg": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(version=1), "version 1, expected 'psog-model' version 2"),
        (lambda c: c.pop("layout"), "layout is None, expected list"),
        (lambda c: c["layout"][0].pop(), "not a rectangle"),
        (lambda c: c["layout"][0].__setitem__(0, 64), "names a sensor beyond 64"),
        (lambda c: c["layout"][0].__setitem__(0, 40), r"normalisation.offset is int32 of shape \(16,\)"),
        (lambda c: c.update(layers=[]), "0 layers, 1 to 8 expected"),
        (lambda c: c["layers"][0].update(kind="pool"), "is unknown"),
        (lambda c: c["layers"][0].update(padding="same"), r"layer1.weight is int8 of shape"),
        (lambda c: c["layers"].append(c["layers"][-1]), "activation.scale"),
        (lambda c: c.update(normalisation_shift=31), "normalisation_shift is 31, 1 to 30"),
        (lambda c: c.update(ridge=-1.0), "ridge is -1.0"),
        (lambda c: c.update(ridge="big"), "ridge is 'big', expected float"),
        (lambda c: c.update(weights_sha256="0"), "damaged or not of this model"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize("name", [MODEL, WEIGHTS, REPORT])
def test_missing_and_truncated_files_are_refused(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"is not JSON|damaged"):
        load_model(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"is not a model: cannot read {name}"):
        load_model(folder)


def test_every_flipped_byte_of_the_weights_is_noticed(folder):
    whole = (folder / WEIGHTS).read_bytes()
    for position in range(0, len(whole), 97):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        (folder / WEIGHTS).write_bytes(bytes(flipped))
        with pytest.raises(ModelError, match="damaged"):
            load_model(folder)


def test_weights_of_another_shape_are_refused_though_their_checksum_is_right(folder, trained, tmp_path):
    from dataclasses import replace

    net, report = trained
    head = replace(net.head, weight=np.zeros((3, 5), np.float32))
    save_model(tmp_path / "odd", replace(net, head=head), report)
    with pytest.raises(ModelError, match=r"tensor head.weight is float32 of shape \(3, 5\), expected"):
        load_model(tmp_path / "odd")
    shutil.rmtree(tmp_path / "odd")
