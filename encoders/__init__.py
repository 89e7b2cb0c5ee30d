"""Media arrays and text to vectors: PE-Core, PE-AV, PE-A-Frame, the model registry, the starter set's weights."""

import os

from pesearch.encoders.apple_gpu import allow_cpu_fallback
from pesearch.encoders.openmp import limit_spinning

limit_spinning(os.environ)
allow_cpu_fallback(os.environ)
