"""Small writers of Avro and SequenceFiles from their specifications, for tests. They share nothing with us.

https://avro.apache.org/docs/1.12.0/specification/#object-container-files
https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/io/SequenceFile.html
"""

import struct
import zlib
from collections.abc import Sequence

MARKER = bytes(range(100, 116))


def avro_long(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def avro_bytes(content: bytes) -> bytes:
    return avro_long(len(content)) + content


def avro_file(
    blocks: Sequence[Sequence[bytes]], codec: str = "null", *, sized_metadata: bool = False
) -> bytes:
    """Return a file of byte strings: one block for each sequence of them."""
    metadata = {b"avro.schema": b'"bytes"', b"avro.codec": codec.encode()}
    pairs = b"".join(avro_bytes(name) + avro_bytes(value) for name, value in metadata.items())
    head = avro_long(-2) + avro_long(len(pairs)) if sized_metadata else avro_long(2)
    parts = [b"Obj\x01", head, pairs, avro_long(0), MARKER]
    for block in blocks:
        content = b"".join(avro_bytes(item) for item in block)
        if codec == "deflate":
            content = zlib.compress(content)[2:-4]
        parts += [avro_long(len(block)), avro_bytes(content), MARKER]
    return b"".join(parts)


def vint(value: int) -> bytes:
    """Write as WritableUtils.writeVLong does."""
    if -112 <= value <= 127:
        return struct.pack("b", value)
    first, magnitude = (-112, value) if value >= 0 else (-120, ~value)
    size = (magnitude.bit_length() + 7) // 8
    return struct.pack("b", first - size) + magnitude.to_bytes(size, "big")


def hadoop_text(text: str) -> bytes:
    content = text.encode()
    return vint(len(content)) + content


def sequence_head(compressed: bool, by_block: bool, metadata: dict[str, str]) -> bytes:
    parts = [b"SEQ\x06", hadoop_text("org.apache.hadoop.io.BytesWritable"), hadoop_text("x" * 200)]
    parts.append(bytes([compressed, by_block]))
    if compressed:
        parts.append(hadoop_text("org.apache.hadoop.io.compress.DefaultCodec"))
    parts.append(struct.pack(">i", len(metadata)))
    parts += [hadoop_text(name) + hadoop_text(value) for name, value in metadata.items()]
    return b"".join([*parts, MARKER])


def sequence_of_records(values: Sequence[bytes], *, compressed: bool = False, marker_every: int = 7) -> bytes:
    parts = [sequence_head(compressed, False, {"name": "value"})]
    for number, value in enumerate(values):
        if number and number % marker_every == 0:
            parts.append(struct.pack(">i", -1) + MARKER)
        content = zlib.compress(value) if compressed else value
        parts.append(struct.pack(">ii", 3 + len(content), 3) + b"key" + content)
    return b"".join(parts)


def sequence_of_blocks(blocks: Sequence[Sequence[bytes]]) -> bytes:
    parts = [sequence_head(True, True, {})]
    for block in blocks:
        parts.append(struct.pack(">i", -1) + MARKER + vint(len(block)))
        for column in ([vint(3)] * len(block), [b"key"] * len(block), [vint(len(v)) for v in block], block):
            packed = zlib.compress(b"".join(column))
            parts.append(vint(len(packed)) + packed)
    return b"".join(parts)
