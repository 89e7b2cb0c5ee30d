"""The public interface for Python programs, in the words of the command line: `import pesearch`, see docs/python.md."""

import logging

logging.getLogger("pesearch").addHandler(logging.NullHandler())  # a library is silent unless its user wants the log
