"""Refuse to build where Git could not make the link to the shared folder."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedFolder(BuildHookInterface[Any]):
    """Without the folder, a package would be built that cannot be imported."""

    # A build has no typing_extensions, whose `override` would stand here.
    def initialize(self, *_: Any) -> None:  # type: ignore[explicit-override]
        """Look for it before anything is built."""
        (package,) = Path(self.root).glob("*/py.typed")
        shared = package.with_name("common")
        if not shared.is_dir():
            sys.exit(
                f"{shared} has to be a link to the folder common/ of the repository: in a folder "
                "that can hold symbolic links, run `git config core.symlinks true`, then "
                f"`git checkout {shared}`."
            )
