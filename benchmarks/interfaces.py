"""The kernel through five interfaces between Python and Rust; all but the first take bytes alone.

The last four call one library: the kernel behind a C interface, opponents/c_library.rs.
"""

import ctypes
from pathlib import Path

import cffi
import cffi_rust
import fast_doubles
import swig_rust
from results import OURS
from variants import Variant

LIBRARY = str(Path(swig_rust.__file__).with_name("libc_library.so"))
HEADER = Path(__file__).parent / "opponents" / "doubles.h"

ctypes_library = ctypes.CDLL(LIBRARY)
ctypes_library.fast_doubles_count.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
ctypes_library.fast_doubles_count.restype = ctypes.c_ssize_t
undeclared_library = ctypes.CDLL(LIBRARY)  # without `argtypes` and `restype`
abi_ffi = cffi.FFI()
abi_ffi.cdef(HEADER.read_text("utf-8"))
abi_library = abi_ffi.dlopen(LIBRARY)


def through_ctypes(data: bytes) -> int:
    doubles: int = ctypes_library.fast_doubles_count(data, len(data))
    return doubles


def through_ctypes_undeclared(data: bytes) -> int:
    doubles: int = undeclared_library.fast_doubles_count(data, len(data))
    return doubles


def through_cffi_api(data: bytes) -> int:
    doubles: int = cffi_rust.lib.fast_doubles_count(data, len(data))
    return doubles


def through_cffi_abi(data: bytes) -> int:
    doubles: int = abi_library.fast_doubles_count(data, len(data))
    return doubles


INTERFACES = {
    "PyO3": Variant(OURS, fast_doubles.count_doubles),
    "SWIG": Variant("Rust through SWIG", swig_rust.fast_doubles_count, (bytes,)),
    "CFFI, API mode": Variant("Rust through CFFI, API mode", through_cffi_api, (bytes,)),
    "CFFI, ABI mode": Variant("Rust through CFFI, ABI mode", through_cffi_abi, (bytes,)),
    "ctypes": Variant("Rust through ctypes", through_ctypes, (bytes,)),
}


def given_str(name: str) -> str:
    """What an interface does with a `str`: "counted", or the name of the error."""
    try:
        doubles = INTERFACES[name].count("aab")
    except (TypeError, ctypes.ArgumentError) as error:
        return type(error).__name__
    assert doubles == 1
    return "counted"
