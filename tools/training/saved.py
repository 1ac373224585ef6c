"""The file that a training run leaves: the students, and what they look like."""

from pathlib import Path

from tools.networks.shape import shape_of
from tools.networks.student import Students
from tools.training.checkpoint import load_checkpoint, save_checkpoint

STUDENTS_FILE = "students.pt"


def save_students(run: Path, students: Students) -> Path:
    """Write students into a run's directory; return the file."""
    path = run / STUDENTS_FILE
    weights = {name: value.cpu() for name, value in students.state_dict().items()}
    save_checkpoint(path, {"students": weights, "shape": students.shape.document()})
    return path


def load_students(run: Path) -> Students:
    """Read a run's students, in evaluation mode.

    Raises:
        FileNotFoundError: there are none; the text says how to make them.
    """
    path = run / STUDENTS_FILE
    state = load_checkpoint(path)
    if state is None:
        raise FileNotFoundError(f"{path}: run `python -m tools.distil` first")
    students = Students(shape_of(state["shape"]))
    students.load_state_dict(state["students"])
    return students.eval()
