"""A search as a picture: error against instructions, the front, the finalists, the budget."""

from __future__ import annotations

from pathlib import Path

from psog.search.search import Found
from psog.sim.figures import BLUE, INK, PALE, RED, label, new_figure, save


def draw_search(found: Found, path: Path) -> None:
    """Trials and their front on the left, finalists on the right: they were trained longer.

    Args:
        path: of the picture, .png.
    Raises:
        MissingExtraError: matplotlib is not installed.
        SimulationError: the file cannot be written.
    """
    plan = found.order.plan
    figure = new_figure((11, 4.6))
    left, right = figure.subplots(1, 2)
    finished = [each for each in found.tried if each.error_deg is not None]
    front = found.front()
    left.scatter(
        [e.instructions for e in finished], [e.error_deg for e in finished], c=BLUE, s=18, label="trials"
    )
    steps = [each.instructions for each in front]
    left.step(steps, [each.error_deg for each in front], where="post", c=INK, lw=1.2, label="front")
    for each in found.finalists:
        usual = each.trial in (None, 0)
        name = "standard network at this budget" if usual else None
        colour = RED if usual else BLUE
        right.scatter([each.instructions] * len(each.error_deg), each.error_deg, c=PALE, s=12)
        right.scatter(each.instructions, each.mean_deg, c=colour, s=34, label=name)
        text = "" if usual else f"{each.trial}"
        right.annotate(text, (each.instructions, each.mean_deg), (4, 4), textcoords="offset points", size=8)
    for axes in (left, right):
        axes.axvline(plan.instructions, c=INK, lw=0.8, ls=":")
        axes.legend(fontsize=8, frameon=False)
    label(left, f"after up to {plan.steps} steps", f"instructions on {plan.board}", "error, degrees")
    label(right, f"finalists, {plan.final_steps} steps", f"instructions on {plan.board}", "error, degrees")
    save(figure, path)
