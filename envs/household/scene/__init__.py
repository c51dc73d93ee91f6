"""VirtualHome's scene graphs: the action table, its dialects, the compiled dynamics, and programs replayed on them."""
