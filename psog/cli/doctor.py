"""`psog doctor`: what psog needs, what of it is here, and the command that brings the rest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Command:
    """Say what is installed, what is missing, and the command that installs it. Changes nothing.

    psog works without what is missing, and does less: the second column says what.
    """

    json: bool = False
    """Print {"findings": [{"name", "found", "serves", "fix"}]} as one JSON document."""
    emit_udev: bool = False
    """Print udev rules that let a user open debug probes and serial adapters on Linux, and nothing else."""

    def run(self) -> None:
        from psog.cli.checks import examine
        from psog.probe.udev import udev_rules

        if self.emit_udev:
            print(udev_rules(), end="")
            return
        findings = examine()
        if self.json:
            print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
            return
        name, serves = (max(len(getattr(f, column)) for f in findings) for column in ("name", "serves"))
        for finding in findings:
            state = finding.found if finding.found is not None else f"missing: {finding.fix}"
            print(f"{finding.name:<{name}}  {finding.serves:<{serves}}  {state}")
