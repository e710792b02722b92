"""The balance of a version: rows at each hop from source to reader, and the first hop that loses some.

Four equations, each between two numbers that were counted by different hands:

* the source, counted by itself before and after the read = read + what changed meanwhile;
* read, counted by the engine as the rows arrive = written + quarantined + filtered;
* written, counted by the engine as it writes = the footers of the files when they were staged;
* those = the footers of the files that readers are sent to now.

Where nothing can be set aside, the engine counts what it reads and what it writes as one number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

BEFORE, AFTER, READ, WRITTEN, FILES = "source_before", "source_after", "read", "written", "files"
_BESIDE = ("quarantined", "filtered")


@dataclass(frozen=True)
class Equation:
    """One line of a balance.

    Attributes:
        text: Both sides, with their numbers.
        difference: Rows by which the right side lacks what the left has; negative where it has more.
    """

    text: str
    difference: int

    @property
    def holds(self) -> bool:
        """Whether both sides are equal."""
        return self.difference == 0


def balance(
    hops: Mapping[str, int], shards: Mapping[str, Sequence[int]], visible: int | None
) -> tuple[Equation, ...]:
    """Return the equations of one version that its numbers allow, from the source to the reader.

    Args:
        hops: Rows by hop.
        shards: Rows of each shard by hop, for the hops that were counted by shard.
        visible: Rows in the files that readers see now; ``None`` while they see another version.

    >>> for line in balance({"written": 5, "files": 4}, {}, None):
    ...     print(line.text, line.difference)
    written 5 = files 4 1
    """
    return tuple(_equations(hops, shards, visible))


def first_break(equations: Sequence[Equation]) -> Equation | None:
    """Return the first equation that does not hold: where to look."""
    return next((one for one in equations if not one.holds), None)


def _equations(
    hops: Mapping[str, int], shards: Mapping[str, Sequence[int]], visible: int | None
) -> Iterator[Equation]:
    for hop in (BEFORE, AFTER):
        if shards.get(hop) and hop in hops:
            total = sum(shards[hop])
            text = f"{_name(hop)} {hops[hop]:,} = {total:,} in {len(shards[hop]):,} shards"
            yield Equation(text, hops[hop] - total)
    written = hops.get(WRITTEN)
    read = hops.get(READ, written)
    if read is not None and BEFORE in hops:
        yield _source(hops[BEFORE], hops.get(AFTER, hops[BEFORE]), read)
    if READ in hops and written is not None:
        beside = {name: hops[name] for name in _BESIDE if name in hops}
        right = " + ".join(f"{name} {rows:,}" for name, rows in {WRITTEN: written, **beside}.items())
        yield Equation(f"read {hops[READ]:,} = {right}", hops[READ] - written - sum(beside.values()))
    if written is not None and FILES in hops:
        yield Equation(f"written {written:,} = files {hops[FILES]:,}", written - hops[FILES])
    if FILES in hops and visible is not None:
        yield Equation(f"files {hops[FILES]:,} = visible {visible:,}", hops[FILES] - visible)


def _source(before: int, after: int, read: int) -> Equation:
    low, high = sorted((before, after))
    inside = min(max(read, low), high)
    changed = inside - before
    text = f"source {before:,} before, {after:,} after = read {read:,}"
    if low != high:
        text += f", {changed:+,} changed during the read" if changed else ", none changed before it was read"
    return Equation(text, inside - read)


def _name(hop: str) -> str:
    return hop.replace("_", " ")
