"""Live progress on stderr, fed by the SDK's steps; silent where nobody watches."""

from __future__ import annotations

from types import TracebackType

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from gateless.cli.output import Output
from gateless.sdk.progress import Step


class _Percentage(ProgressColumn):
    """The percentage, for stages that know theirs."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.percentage:3.0f}%")


class ProgressView:
    """Shows each stage as a line that ends when the next stage begins; use as context manager."""

    def __init__(self, output: Output) -> None:
        self.last: Step | None = None
        self._task: TaskID | None = None
        self._key = ("", "")
        self._progress: Progress | None = None
        if output.shows_progress:
            self._progress = Progress(
                SpinnerColumn(finished_text="[green]✓"),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=16),
                _Percentage(),
                TimeElapsedColumn(),
                console=output.progress_console,
            )

    def __enter__(self) -> ProgressView:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is None:
            return
        if error is None:
            self._finish()
        self._progress.stop()

    def __call__(self, step: Step) -> None:
        """Takes one report; this is the sink to hand to the SDK."""
        self.last = step
        if self._progress is None:
            return
        label = step.detail or step.stage.replace("-", " ")
        total = None if step.fraction is None else 1.0
        key = (step.stage, label if step.fraction is None else "")
        if key != self._key or self._task is None:
            self._finish()
            self._key = key
            self._task = self._progress.add_task(label, total=total)
        self._progress.update(
            self._task, description=label, total=total, completed=step.fraction or 0.0
        )

    def _finish(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)
            self._task = None
