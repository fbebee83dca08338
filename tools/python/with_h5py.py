"""Imported first by tools that read logs: goes on with the system's Python where this one has no h5py or numpy."""
import os
import sys

try:
    import h5py  # noqa: F401
    import numpy  # noqa: F401
except ImportError as why:
    SYSTEM = "/usr/bin/python3"
    if os.path.exists(SYSTEM) and os.path.realpath(SYSTEM) != os.path.realpath(sys.executable):
        os.execv(SYSTEM, [SYSTEM, *sys.argv])
    sys.exit(f"{os.path.basename(sys.argv[0])}: {why}; it needs h5py and numpy (Debian: python3-h5py, python3-numpy)")
