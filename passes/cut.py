"""Minimum cuts of networks, by Dinic's algorithm.

E. A. Dinic, Algorithm for solution of a problem of maximum flow in networks with power estimation,
Soviet Mathematics Doklady 11, 1970.
"""

from __future__ import annotations

from collections import deque
from typing import Final

UNBOUNDED: Final = 1 << 60
"""The capacity of an arc that must not be cut."""


class Network:
    """Nodes, numbered from 0, and arcs with capacities between them."""

    def __init__(self) -> None:
        self._arcs: list[list[int]] = []  # of each node, by their numbers
        self._head: list[int] = []  # of each arc; arc n ^ 1 is arc n turned round
        self._free: list[int] = []  # what an arc can still take

    def node(self) -> int:
        """Add a node and return its number."""
        self._arcs.append([])
        return len(self._arcs) - 1

    def arc(self, tail: int, head: int, capacity: int) -> None:
        """Add an arc."""
        self._arcs[tail].append(len(self._head))
        self._arcs[head].append(len(self._head) + 1)
        self._head += (head, tail)
        self._free += (capacity, 0)

    def sink_side(self, source: int, sink: int) -> set[int]:
        """Return the nodes behind a minimum cut, of all such cuts the one closest to the sink.

        It saturates the network, so it can be asked once.

        Raises:
            ValueError: if every cut has an unbounded arc.
        """
        flow = 0
        while levels := self._levels(source, sink):
            flow += self._blocking_flow(levels, source, sink)
            if flow >= UNBOUNDED:
                raise ValueError("no cut is bounded")
        return self._reaching(sink)

    def _levels(self, source: int, sink: int) -> list[int] | None:
        """Return each node's distance from the source, or None where the sink is out of reach."""
        levels = [-1] * len(self._arcs)
        levels[source] = 0
        queue = deque([source])
        while queue:
            node = queue.popleft()
            for arc in self._arcs[node]:
                head = self._head[arc]
                if levels[head] < 0 and self._free[arc]:
                    levels[head] = levels[node] + 1
                    queue.append(head)
        return levels if levels[sink] >= 0 else None

    def _blocking_flow(self, levels: list[int], source: int, sink: int) -> int:
        """Fill shortest paths until each has a full arc; return how much that was."""
        untried = [list(arcs) for arcs in self._arcs]
        path: list[int] = []
        node, total = source, 0
        while True:
            if node == sink:
                total += self._fill(path)
                full = next(i for i, arc in enumerate(path) if not self._free[arc])
                node = self._head[path[full] ^ 1]
                del path[full:]
            elif (arc := self._onward(node, untried, levels)) is not None:
                path.append(arc)
                node = self._head[arc]
            elif path:
                node = self._head[path.pop() ^ 1]
                untried[node].pop()
            else:
                return total

    def _onward(self, node: int, untried: list[list[int]], levels: list[int]) -> int | None:
        """Return the last untried arc that leads on from a node, dropping those that do not."""
        arcs = untried[node]
        while arcs:
            arc = arcs[-1]
            if self._free[arc] and levels[self._head[arc]] == levels[node] + 1:
                return arc
            arcs.pop()
        return None

    def _fill(self, path: list[int]) -> int:
        amount = min([self._free[arc] for arc in path])
        for arc in path:
            self._free[arc] -= amount
            self._free[arc ^ 1] += amount
        return amount

    def _reaching(self, sink: int) -> set[int]:
        """Return the nodes from which the sink can still be reached."""
        found, stack = {sink}, [sink]
        while stack:
            for arc in self._arcs[stack.pop()]:
                tail = self._head[arc]
                if tail not in found and self._free[arc ^ 1]:
                    found.add(tail)
                    stack.append(tail)
        return found
