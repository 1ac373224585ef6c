"""The coefficient functions of the loss, drawn from the code that training runs."""

from tools.report import plot
from tools.report.markup import Html, joined, note


def coefficients() -> Html:
    """Return the section."""
    from tools.resource.curves import coefficient_figure  # torch takes seconds to import

    description = (
        "Weights of the four terms of the loss over the headroom, and how the resource term is "
        "split over arithmetic, bytes and latency"
    )
    return joined(
        plot.on_plate(plot.drawn(coefficient_figure(), "coefficients", description)),
        note(
            "The headroom R is the governor's own: 1 where a resource leaves the dearest tier all "
            "the room it asks for, 0 where none is left. The scarcest of CPU, memory, energy and "
            "heat governs."
        ),
    )
