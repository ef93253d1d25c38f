from __future__ import annotations

import json

from tests.releases import RELEASES, today, version
from tests.templates import synthesize

if __name__ == "__main__":
    folder = RELEASES / version()
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, stack in today().items():
        (folder / name).write_text(json.dumps(synthesize(stack), indent=1) + "\n")
    print(f"recorded in {folder}")
