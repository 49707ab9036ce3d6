"""The tables of `psog bench precision`."""

from __future__ import annotations

from typing import Any

from psog.benchmarks.tables import Table


def tables_of(name: str, document: dict[str, Any]) -> list[Table]:
    """Of one headset: errors, layers, costs, bytes."""
    found = document["headsets"][name]
    models = f"{found['models']} model{'s' if found['models'] > 1 else ''}"
    slips = [f"{slip:g} mm" for slip in document["slips_mm"]]
    who = f"{document['users']} unseen users (seed {document['seed']}), {models}"
    return [
        _errors(f"{name}: gaze error after {document['points']} points, {who}, degrees", found, slips),
        _layers(
            f"{name}: weights of four bits in one layer alone, {document['layer_users']} of these users, "
            "degrees beside int8",
            found,
            slips,
        ),
        *_costs(name, found),
        _bytes(f"{name}: where the bytes of a plain int8 image are", found),
    ]


def _errors(title: str, found: dict[str, Any], slips: list[str]) -> Table:
    rows = []
    for way, figures in found["ways"].items():
        cells = []
        for slip in range(len(slips)):
            cells.append(
                " / ".join(f"{figures[key][slip][0]:.3f}" for key in ("mean_deg", "median_deg", "p95_deg"))
            )
            beside = _difference(figures["difference_deg"][slip], found["models"])
            cells.append(f"{beside} ({figures['users_sd_deg'][slip]:.3f})")
        rows.append((way, *cells))
    columns = [
        heading for slip in slips for heading in (f"{slip}: mean / median / p95", f"{slip}: beside int8")
    ]
    of_four = ", ".join(map(str, found["of_four_bits"]))
    note = (
        f"Beside int8: paired by user, mean ± SD over models (SD over users). int4: dense layers {of_four}; "
        "everything else has eight bits."
    )
    return Table(title, ("", *columns), rows, note)


def _difference(of_slip: list[float], models: int) -> str:
    """Mean and SD over models, where there are several."""
    mean, sd = of_slip
    return f"{mean:+.3f}" if models == 1 else f"{mean:+.3f} ± {sd:.3f}"


def _layers(title: str, found: dict[str, Any], slips: list[str]) -> Table:
    rows = []
    for one in found["layers"]:
        cells = [_difference(of_slip, found["models"]) for of_slip in one["difference_deg"]]
        rows.append((str(one["layer"]), f"{one['weights'] // 2:,}", *cells))
    return Table(title, ("layer", "bytes saved", *slips), rows, "Rounded together; mean ± SD over models.")


def _costs(name: str, found: dict[str, Any]) -> list[Table]:
    rows = []
    for board, packings in found["costs"].items():
        for packing, figures in packings.items():
            cycles = figures["cycles_estimated"]
            rows.append(
                (
                    f"{board}, {packing}",
                    f"{figures['instructions']:,}",
                    "–" if cycles is None else f"{cycles:,}",
                    f"{figures['flash_model_bytes']:,}",
                    f"{figures['flash_runtime_bytes']:,}",
                    f"{figures['ram_bytes']:,}",
                    "yes" if figures["bit_exact"] else "no",
                )
            )
    if not rows:
        return []
    title = f"{name}: an inference of the network with int4 in its large layers, by packing"
    columns = ("", "instructions", "cycles, estimated", "image", "runtime", "RAM", "bit-exact")
    return [Table(title, columns, rows, "Counted in QEMU; image and runtime in bytes of flash.")]


def _bytes(title: str, found: dict[str, Any]) -> Table:
    total = sum(found["image"].values())
    rows = [(part, f"{size:,}", f"{size / total:.0%}") for part, size in found["image"].items()]
    return Table(title, ("", "bytes", "share"), rows)
