"""Questions about shopping episodes; truth comes from executing them in the shop and from its reward."""
