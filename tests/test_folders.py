"""A folder is replaced whole or kept whole."""

import pytest

from psog.errors import ModelError
from psog.folders import FolderKind

KIND = FolderKind("model", "model.json", ModelError)


def write(folder, text, *, force=False, fail=None):
    with KIND.writing(folder, force=force) as partial:
        (partial / "model.json").write_text(text)
        assert not folder.exists() or folder != partial
        if fail is not None:
            raise fail


def contents(tmp_path):
    return {
        str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()
    }


def test_a_new_folder_appears_with_everything_in_it(tmp_path):
    write(tmp_path / "deep" / "m", "1")
    assert contents(tmp_path) == {"deep/m/model.json": "1"}


def test_force_replaces_one_of_its_kind(tmp_path):
    write(tmp_path / "m", "1")
    write(tmp_path / "m", "2", force=True)
    assert contents(tmp_path) == {"m/model.json": "2"}


def test_without_force_what_is_there_stays(tmp_path):
    write(tmp_path / "m", "1")
    with pytest.raises(ModelError, match="already exists"):
        write(tmp_path / "m", "2")
    assert contents(tmp_path) == {"m/model.json": "1"}


@pytest.mark.parametrize("fail", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_half_way_leaves_what_was_there(tmp_path, fail):
    write(tmp_path / "m", "1")
    with pytest.raises((ModelError, KeyboardInterrupt)):
        write(tmp_path / "m", "2", force=True, fail=fail)
    assert contents(tmp_path) == {"m/model.json": "1"}


def test_neighbours_are_left_alone(tmp_path):
    for name in ("m.old", "m.partial", ".m"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text(name)
    write(tmp_path / "m", "1")
    write(tmp_path / "m", "2", force=True)
    assert contents(tmp_path) == {
        "m/model.json": "2",
        **{f"{name}/thesis.txt": name for name in ("m.old", "m.partial", ".m")},
    }


def test_force_never_replaces_something_else(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(ModelError, match="is not a model"):
        write(tmp_path / "thesis", "2", force=True)
    assert contents(tmp_path) == {"thesis/chapter.txt": "years of work"}
