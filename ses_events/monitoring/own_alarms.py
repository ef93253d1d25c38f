"""The alarms of ``add_alarm``: whether what they watch is counted, and what a dashboard shows of them.

It shows their states together, and in one graph what is alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IValidation

from ses_events.monitoring.own_alarm_rules import oddities_of_alarm, uncounted

if TYPE_CHECKING:
    from ses_events.monitoring.alarms import AlarmRule
    from ses_events.publishing.publishing import EventPublishing

_MOST = 100
"""Alarms in a widget (CloudWatch API, dashboard body)."""


class OwnAlarms:
    """The end of a dashboard, which grows with each alarm: a line here and there, and nothing moves."""

    def __init__(self, dashboard: cloudwatch.Dashboard) -> None:
        self._states, self._graphs = cloudwatch.Column(), cloudwatch.Column()
        self._of_alike: dict[tuple[str, float], cloudwatch.GraphWidget] = {}
        self._newest: _States | None = None
        for part in (self._states, self._graphs):
            dashboard.add_widgets(cast(cloudwatch.IWidget, part))  # as it is, but for what may be left out

    def add(self, name: str, alarm: cloudwatch.Alarm, rule: AlarmRule) -> None:
        """Show an alarm: its state, and its metric as a line with its name."""
        if self._newest is None or len(self._newest.arns) == _MOST:
            self._newest = _States()
            self._states.add_widget(self._newest)
        self._newest.arns.append(alarm.alarm_arn)
        what = getattr(rule.metric, "label", None) or getattr(rule.metric, "metric_name", None) or name
        alike = what, rule.threshold
        line = rule.metric.with_(label=name)
        if alike in self._of_alike:
            self._of_alike[alike].add_left_metric(line)
            return
        self._of_alike[alike] = cloudwatch.GraphWidget(
            title=what,
            left=[line],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=rule.threshold, label="alarm")],
            left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
            legend_position=cloudwatch.LegendPosition.RIGHT,
            width=24,
            height=6,
        )
        self._graphs.add_widget(self._of_alike[alike])


class _States(cloudwatch.ConcreteWidget):
    """The states of alarms, of which more may come: CDK's own widget takes them when it is made."""

    def __init__(self) -> None:
        super().__init__(24, 4)
        self.arns: list[str] = []

    def to_json(self) -> list[Any]:
        """Return the widget as the dashboard body has it."""
        place = {"x": self._x, "y": self._y, "width": self.width, "height": self.height}
        return [{"type": "alarm", **place, "properties": {"title": "Alarms of your own", "alarms": self.arns}}]


def warn_unless_counted(alarm: cloudwatch.Alarm, metric: object, publishing: EventPublishing | None) -> None:
    """Warn at synth of an alarm on what no set of the app counts: one that is made later may count it."""
    if any(uncounted(metric, publishing, alarm)):
        alarm.node.add_validation(cast(IValidation, _NotCounted(alarm, metric, publishing)))


@jsii.implements(IValidation)
class _NotCounted:
    def __init__(self, alarm: cloudwatch.Alarm, metric: object, publishing: EventPublishing | None) -> None:
        self._alarm, self._metric, self._publishing = alarm, metric, publishing

    def validate(self) -> list[str]:
        """Return no error; what is to be said is a warning."""
        for warning, text in oddities_of_alarm(self._metric, self._publishing, self._alarm):
            cdk.Annotations.of(self._alarm).add_warning_v2(warning, text)
        return []
