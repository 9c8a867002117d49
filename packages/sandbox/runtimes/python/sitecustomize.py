"""The door into a warm Python: `site` imports this module while the interpreter starts, before it opens the program.

`python3 /workspace/main.py` is started with PYTHONPATH on this folder. `worker.start()` imports what programs need, says
"ready", and sleeps until the program's files are in the workspace; then it returns, and CPython itself runs main.py. So
`__main__`, tracebacks, pickling, multiprocessing, recursion depth and the order of the end are the interpreter's own,
in every version, and no frame of ours lies under the program's.
"""

import worker

worker.start()
