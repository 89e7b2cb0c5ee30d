"""Adds the links `pesearch/media -> ../media`, ... to the sdist: setuptools packs files only."""

from collections.abc import Sequence
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist


class SourceDistribution(sdist):
    """An sdist whose tree is that of the repository."""

    def make_release_tree(self, base_dir: str, files: Sequence[str]) -> None:
        """Put the files into the folder that is packed, and then the links."""
        super().make_release_tree(base_dir, files)
        for link in sorted(Path("pesearch").iterdir()):
            if link.is_symlink():
                Path(base_dir, link).symlink_to(link.readlink())


setup(cmdclass={"sdist": SourceDistribution})
