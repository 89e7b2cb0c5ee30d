"""torch._dynamo, the frontend of torch.compile, imported only when something compiles.

torchcodec, torchvision and transformers import it merely to mark functions of their own for the compiler. That takes
1.2 CPU seconds (torch 2.13, Zen 4), a fifth of a query. So a stand-in takes its place that notes the marks. Whatever
else is asked of it imports the real package, which gets the noted marks and replaces the stand-in.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

PACKAGE = "torch._dynamo"
UTILS = f"{PACKAGE}.utils"

STANDALONE = frozenset({f"{PACKAGE}._trace_wrapped_higher_order_op"})
"""Modules that need nothing of the package: `transformers.masking_utils` imports this one."""

_swapping = RLock()


def defer_dynamo() -> None:
    """Put the stand-ins in place, before an import of torchcodec, torchvision or transformers. Imports torch.

    Does nothing if torch._dynamo is already imported.
    """
    torch = importlib.import_module("torch")
    with _swapping:
        if PACKAGE not in sys.modules and (spec := find_spec(PACKAGE)) is not None:
            sys.modules[PACKAGE] = torch._dynamo = package = _Package(spec)  # type: ignore[attr-defined]  # set on a module
            sys.modules[UTILS] = _Utils(package)
            sys.meta_path.insert(0, _SubmoduleFinder(package))


class _Package(ModuleType):
    """The stand-in of torch._dynamo: notes marks, and imports the package for everything else."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(PACKAGE)
        self.__spec__, self.__path__ = spec, list(spec.submodule_search_locations or ())
        self._marks: list[tuple[str, Callable[..., Any]]] = []
        self._not_disabled: list[Callable[..., Any]] = []

    def allow_in_graph(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Notes the mark, as the next two do."""
        self._marks.append(("allow_in_graph", function))
        return function

    def disallow_in_graph(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self._marks.append(("disallow_in_graph", function))
        return function

    def assume_constant_result(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self._marks.append(("assume_constant_result", function))
        return function

    def disable(self, function: Any = None, recursive: bool = True, *, wrapping: bool = True, **_: Any) -> Any:
        """torch's own lazy decorator. On the first call that asks here again, without `wrapping`, and caches the answer
        as `__dynamo_disable`: until the package is imported the plain function, as there is nothing to disable."""
        if wrapping:
            return sys.modules["torch"]._disable_dynamo(function, recursive)
        self._not_disabled.append(function)
        return function

    def import_package(self) -> ModuleType:
        """The real package, imported in place of the stand-ins."""
        with _swapping:
            if sys.modules.get(PACKAGE) is self:
                del sys.modules[PACKAGE], sys.modules[UTILS]
                sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _SubmoduleFinder)]
                package = importlib.import_module(PACKAGE)
                for name in STANDALONE & sys.modules.keys():
                    setattr(package, name.rpartition(".")[2], sys.modules[name])
                for mark, function in self._marks:
                    getattr(package, mark)(function)
                for function in self._not_disabled:
                    vars(function).pop("__dynamo_disable", None)
        return importlib.import_module(PACKAGE)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # inspect and warnings ask any module for such
            raise AttributeError(name)
        return getattr(self.import_package(), name)


class _Utils(ModuleType):
    """The stand-in of torch._dynamo.utils, of which `torchvision.ops` imports one function."""

    def __init__(self, package: _Package) -> None:
        super().__init__(UTILS)
        self._package = package

    def is_compile_supported(self, device_type: Any) -> Any:
        """That function, called only by a compiled torchvision operator."""
        return self._package.import_package().utils.is_compile_supported(device_type)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._package.import_package().utils, name)


class _SubmoduleFinder(MetaPathFinder, Loader):
    """Imports the package before any other of its modules that is not STANDALONE."""

    def __init__(self, package: _Package) -> None:
        self._package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{PACKAGE}.") or fullname in STANDALONE:
            return None
        self._package.import_package()
        if fullname not in sys.modules:
            return None
        return ModuleSpec(fullname, self, loader_state=sys.modules[fullname].__spec__)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module that the package has imported meanwhile."""
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Only gives the module back its own spec: it has run."""
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state
