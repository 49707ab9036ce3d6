"""The command line: quick help, one clear line for what it cannot do."""

import subprocess
import sys

import pytest

from psog.cli.main import BENCHES, VERBS

PSOG = [sys.executable, "-m", "psog"]


def psog(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PSOG, *words], capture_output=True, text=True, timeout=120)


def test_help_names_every_verb():
    text = psog("--help").stdout
    assert all(verb in text for verb in (*VERBS, "bench"))


@pytest.mark.parametrize("words", [[verb] for verb in VERBS] + [["bench", name] for name in BENCHES])
def test_every_verb_explains_its_flags(words):
    run = psog(*words, "--help")
    assert run.returncode == 0, run.stderr
    assert "usage: psog " + " ".join(words) in run.stdout


@pytest.mark.parametrize("words", [[verb] for verb in VERBS] + [["bench", name] for name in BENCHES])
def test_help_loads_nothing_heavy(words):
    """Half a second is kept by what is not imported: torch takes seconds."""
    code = (
        "import sys, psog.cli.main as m\n"
        f"try: m.main({[*words, '--help']!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pyarrow', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dance"], "unknown verb 'dance'"),
        (["bench", "dance"], "unknown name 'dance'"),
        (["train", "ring16", "--out", "x", "--colour", "3"], "--colour"),
        (["stream", "--port", "p", "--samples", "many"], "many"),
        (["show", "no-such-headset", "--out", "x.png"], "no-such-headset"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_exit_1(words, message):
    run = psog(*words)
    assert run.returncode == 1
    assert run.stdout == ""
    assert message in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
