"""Files and options as no program writes them: strategies that damage what is whole."""

import io
import json
import struct
import zipfile

import numpy as np
from hypothesis import strategies as st

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
FLAGS = {LOCAL: 6, CENTRAL: 8}  # where a header's flags lie; of which 1 says encrypted
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(-2, 2**40), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def arrays_of(content):
    """The arrays of an .npz by name, as numpy reads them."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def npz(arrays, compress=True):
    """The bytes of an .npz."""
    (np.savez_compressed if compress else np.savez)(written := io.BytesIO(), **arrays)
    return written.getvalue()


def npy(array, shape=None, descr=None, fortran=False):
    """The bytes of an .npy whose header claims what it likes."""
    header = {"descr": descr or array.dtype.str, "fortran_order": fortran}
    header["shape"] = array.shape if shape is None else shape
    np.lib.format.write_array_header_1_0(written := io.BytesIO(), header)
    return written.getvalue() + array.tobytes()


def with_member(content, name, data):
    """An .npz in which one member, or one more, has other bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[f"{name}.npy"] = data
    with zipfile.ZipFile(written := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for filename, own in members.items():
            archive.writestr(filename, own)
    return written.getvalue()


def encrypted(content):
    """An archive that says of its members that they are encrypted."""
    content = bytearray(content)
    for sign, flags in FLAGS.items():
        at = content.find(sign)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(sign, at + 1)
    return bytes(content)


@st.composite
def mutants(draw, content):
    """The bytes with a few of them changed, cut out, doubled, or with its end cut off."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.sampled_from([1, 1, 2, 4, 100]))
        kind = draw(st.sampled_from(["set", "set", "cut", "double", "end"]))
        if kind == "set":
            content[at : at + length] = draw(st.binary(min_size=length, max_size=length))
        elif kind == "cut":
            del content[at : at + length]
        elif kind == "double":
            content[at:at] = content[at : at + length]
        else:
            del content[at:]
    return bytes(content)


@st.composite
def other_arrays(draw, arrays):
    """The arrays, one of which has another dtype, shape or value, or is missing, or is new."""
    arrays, name = dict(arrays), draw(st.sampled_from(sorted(arrays)))
    array = arrays.pop(name)
    change = draw(st.sampled_from(["dtype", "shape", "value", "missing", "new", "turned"]))
    if change == "dtype":
        dtype = draw(st.sampled_from(["f4", "f8", "i1", "i8", ">u2", "u1", "?", "U3", "S4", "c8"]))
        try:
            arrays[name] = array.astype(dtype)
        except ValueError:
            arrays[name] = np.zeros(array.shape, dtype)
    elif change == "shape":
        arrays[name] = draw(
            st.sampled_from(
                [array[None], array.reshape(-1), array[..., None], array.reshape(-1)[:0]]
            )
        )
    elif change == "value" and array.size and array.dtype.kind in "ui":
        arrays[name] = array.copy()
        at = draw(st.integers(0, array.size - 1))
        arrays[name].reshape(-1)[at] = draw(st.integers(0, 255))
    elif change == "new":
        arrays[name] = array
        arrays[draw(st.sampled_from(["states99", "more", "sets0"]))] = array
    elif change == "turned":
        arrays[name] = np.asfortranarray(array)
    elif change == "value":
        arrays[name] = array
    return arrays


@st.composite
def other_json(draw, value):
    """JSON with one value of another kind somewhere, one missing, or one more."""
    value = json.loads(json.dumps(value))
    place = value
    while True:
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and draw(st.integers(0, 3)):
            place = inner
            continue
        break
    change = draw(st.sampled_from(["other", "other", "other", "missing", "new"]))
    if change == "missing":
        del place[key]
    elif change == "new" and isinstance(place, dict):
        place[draw(st.text(max_size=4))] = draw(WRONG)
    else:
        place[key] = draw(WRONG)
    return value


def safetensors_parts(content):
    """The header of a safetensors file as JSON, and the bytes behind it."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def safetensors_of(header, data):
    """A safetensors file of a header, whatever it claims."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def with_config(content, config):
    """Weights whose run is described otherwise: by a value, or by a text that may be no JSON."""
    header, data = safetensors_parts(content)
    text = config if isinstance(config, str) else json.dumps(config)
    return safetensors_of(header | {"__metadata__": {"config": text}}, data)


NUMBERS = st.one_of(
    st.integers(-5, 5).map(str),
    st.integers(-(10**40), 10**40).map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            "",
            " ",
            "nan",
            "1,000",
            "--",
            "-",
            "1.5",
            "None",
            "True",
            "4294967296",
            "4294967295",
            "\0",
            "-nan",
            "inf",
            "-inf",
            "-0",
            "1e400",
            "1" * 5000,
            "0x10",
            "1_0",
            "٣",
            "²",
        ]
    ),
)
PLACES = st.one_of(
    st.sampled_from(["", "\0", "a\0.mid", "x" * 300, "x/" * 3000, "/dev/null", "/proc/self/mem"]),
    st.sampled_from(
        ["folder", "file.mid", "folder/x.mid", "file.mid/x.mid", "\udcff.mid", "~none"]
    ),
)
