"""torch._dynamo is imported when something compiles, and then knows every mark that was made before."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

DEFERRED = """
import json, os, sys, torch
from pesearch.deferred_dynamo import defer_dynamo
defer_dynamo()
import torch._dynamo
from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex
from torch._dynamo.utils import is_compile_supported

@torch._dynamo.allow_in_graph
def allowed(x): return x * 2

@torch._dynamo.assume_constant_result
def constant(): return 4

disallowed = torch._dynamo.disallow_in_graph(torch.sub)

@torch.compiler.disable(recursive=False)
def disabled(x): return x + 5

assert (disabled(torch.ones(1)).item(), allowed(1), constant(), disallowed is torch.sub) == (6, 2, 4, True)
assert "sympy" not in sys.modules
for use in sys.argv[1:]:
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0, use
        continue
    exec(use)
    assert "sympy" in sys.modules
    from torch._dynamo import eval_frame, trace_rules
    print(json.dumps([
        trace_rules.is_callable_allowed(allowed), trace_rules.is_callable_disallowed(disallowed),
        constant._dynamo_marked_constant, hasattr(disabled.__wrapped__, "__dynamo_disable"),
        is_compile_supported("cpu"), torch._dynamo is sys.modules["torch._dynamo"], hasattr(torch._dynamo, "__file__"),
        eval_frame is torch._dynamo.eval_frame is sys.modules["torch._dynamo.eval_frame"],
        type(sys.modules["torch._dynamo.config"].__spec__.loader).__name__,
        torch._dynamo._trace_wrapped_higher_order_op.TransformGetItemToIndex is TransformGetItemToIndex,
    ]), flush=True)
    os._exit(0)
"""

FIRST_USES = (
    "torch._dynamo.config",
    "import torch._dynamo.config",
    "from torch._dynamo.utils import counters",
)


@pytest.mark.slow
def test_the_first_use_imports_the_package_with_all_marks() -> None:
    command = [sys.executable, "-c", DEFERRED, *FIRST_USES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    expected = [True, True, True, False, True, True, True, True, "SourceFileLoader", True]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [expected] * len(FIRST_USES)
