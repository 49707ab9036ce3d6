"""What every table of a TOML file is made of, and how a wrong one is told in one line."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Exponent = Annotated[float, Field(ge=0, le=512)]
HalfAngle = Annotated[float, Field(gt=0, lt=90)]


class Table(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def first_fault(error: ValidationError, whole: str) -> str:
    """Where and what is wrong first, in one line.

    Args:
        whole: how to call the file when the fault is in no one key.
    """
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or whole
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    found = first.get("input")
    given = f", {found!r} given" if isinstance(found, bool | int | float | str) else ""
    return f"{where}: {first['msg'].removeprefix('Value error, ')}{given}{more}"
