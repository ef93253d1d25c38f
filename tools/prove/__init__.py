"""``make prove``: the reference stack on a live account, each doubt settled by a call, evidence, and all taken down.

``app`` is what is deployed, ``field`` the deployed system as a measurement sees it, ``measure`` has a measurement for
each doubt of docs/doubts.json that a command can settle, ``evidence`` is what is written, ``take_down`` deletes
what is left, ``local`` runs all of it against the AWS of this machine.
"""
