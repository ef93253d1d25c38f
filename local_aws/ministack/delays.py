"""What takes time on AWS: roles that services do not know yet, streams that are being created, metrics on their way."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Delays:
    """Seconds of ours, which may change while the local AWS runs.

    :param iam: how long services go on seeing a role, and its policies, as it was before a change.
    :param stream: how long a delivery stream is CREATING.
    :param metric: how many seconds of AWS a sample of a metric takes to CloudWatch, where alarms see it.
    """

    iam: float = 0
    stream: float = 0
    metric: float = 0

    def set(self, iam: float, stream: float, metric: float) -> None:
        """Change all.

        :raises ValueError: when one is no time.
        """
        for name, seconds in (("IAM", iam), ("stream", stream), ("metric", metric)):
            if not 0 <= seconds < math.inf:
                raise ValueError(f"the {name} delay of {seconds:g} s is no time; it takes 0 s or more")
        self.iam, self.stream, self.metric = iam, stream, metric


delays = Delays()
"""How slow AWS is here. MiniStack is not at all."""
