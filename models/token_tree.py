"""Continuations of one text as a tree: what several of them begin with is computed once, not only the text before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class TokenTree:
    """The tokens of some sequences, those that begin alike sharing theirs.

    Attributes:
        tokens: of the nodes; a node comes after its parent.
        parents: index of each node's parent, -1 at the root.
        depths: tokens before each node's on its path.
        paths: for each sequence, its nodes in order.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> TokenTree:
        """Return the tree of sequences, in order."""
        children: dict[tuple[int, int], int] = {}
        tokens: list[int] = []
        parents: list[int] = []
        depths: list[int] = []
        paths = []
        for sequence in sequences:
            at, path = -1, []
            for depth, token in enumerate(sequence):
                node = children.setdefault((at, token), len(tokens))
                if node == len(tokens):
                    tokens.append(token)
                    parents.append(at)
                    depths.append(depth)
                at = node
                path.append(node)
            paths.append(tuple(path))
        return cls(tuple(tokens), tuple(parents), tuple(depths), tuple(paths))

    def visible(self, before: int, kept: int) -> torch.Tensor:
        """Return which keys each query may look at, `[before - kept + nodes, before + nodes]` bool.

        Args:
            before: tokens of the text that the tree stands behind.
            kept: of these, how many are keys only, and no queries.
        """
        new, count = before - kept, len(self.tokens)
        allowed = torch.zeros((new + count, before + count), dtype=torch.bool)
        allowed[:new, :before] = torch.ones((new, before), dtype=torch.bool).tril(kept)
        allowed[new:, :before] = True
        of_nodes = allowed[new:, before:]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                of_nodes[node] = of_nodes[parent]
            of_nodes[node, node] = True
        return allowed
