"""The app that is deployed, the reference stack twice: python -m tools.prove.app NAME"""

from __future__ import annotations

import sys


def main(name: str) -> None:
    """Synthesize a stack for the standard deployment, and one for the express one."""
    import aws_cdk as cdk  # not when the command asks for the names of the stacks

    from ses_events import SesEventsStack

    app = cdk.App(analytics_reporting=False)
    for each in stacks(name):
        SesEventsStack(app, each, buffering_interval=cdk.Duration.seconds(60), tags={"application": "ses-events-prove"})
    app.synth()


def stacks(name: str) -> tuple[str, str]:
    """The names of both stacks."""
    return name, f"{name}Express"


if __name__ == "__main__":
    main(sys.argv[1])
