"""How examples are asked: which questions, balanced how, with which worked examples, and what is reported."""
