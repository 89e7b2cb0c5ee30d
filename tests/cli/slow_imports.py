"""What takes a command the longest: half of the time of a question is spent on importing this.

The hub's client reads its settings once, when it is imported: here those of every test, no network and no models.
"""

import os
import tempfile

os.environ |= {"HF_HOME": f"{tempfile.gettempdir()}/pesearch-tests-{os.getpid()}", "HF_HUB_OFFLINE": "1"}

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers

load_transformers()
load_open_clip()
