"""`psog convert`: a recording as CSV, or as a subject of a BIDS dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from psog.errors import PsogError


@dataclass(frozen=True)
class Command:
    """Write a recording as other programs read it.

    csv: one table, its header's names end in their units. bids: a dataset by BIDS 1.11 (eye tracking), begun
    when OUT is not there, else with one more subject, task or session; it has no raw readings, no times of
    the day and no name but the label that is given.
    """

    recording: Positional[Path]
    """Recording folder."""
    out: Path
    """File (csv) or folder of the dataset (bids) to write."""
    format: Literal["csv", "bids"]
    """What to write."""
    subject: str | None = None
    """For bids: label of the subject, letters and digits."""
    task: str | None = None
    """For bids: label of what the subject did."""
    session: str | None = None
    """For bids: label of the session, if there are several."""
    eye: Literal["right", "left"] = "right"
    """For bids: which eye the headset looks at."""
    force: bool = False
    """Replace a CSV file that is there; what is in a dataset is never replaced."""

    def run(self) -> None:
        if self.format == "csv":
            if self.subject or self.task or self.session:
                raise PsogError("--subject, --task and --session are BIDS's; add --format bids")
            from psog.live.text_tables import export_csv

            rows = export_csv(self.recording, self.out, force=self.force)
            print(f"{self.out}: {rows:,} rows")
            return
        from psog.live.bids import Labels, export_bids

        if self.subject is None or self.task is None:
            raise PsogError("BIDS names a subject and a task; give --subject and --task")
        labels = Labels(self.subject, self.task, self.session, self.eye)
        for path in export_bids(self.recording, self.out, labels):
            print(self.out / path)
